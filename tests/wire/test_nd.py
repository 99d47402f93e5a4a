"""Neighbour discovery messages and their options."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRDNSS,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)

from sdnvirt.addresses import ALL_NODES, Ipv6, Mac
from sdnvirt.errors import MalformedError, WireError
from sdnvirt.wire.icmpv6 import Icmpv6
from sdnvirt.wire.nd import (
    NeighbourAdvertisement,
    NeighbourSolicitation,
    Redirect,
    RouterAdvertisement,
    RouterSolicitation,
)
from sdnvirt.wire.nd_options import OPTION_LIMIT, DnsServers, NdOptions, PrefixInformation

A, B = Ipv6("fe80::1"), Ipv6("2001:db8::2")
MAC = Mac("02:00:00:00:00:01")

MACS = st.none() | st.binary(min_size=6, max_size=6).map(Mac)
ADDRESS = st.binary(min_size=16, max_size=16).map(Ipv6)
UNICAST = ADDRESS.filter(lambda address: not address.is_multicast)
WORD, HALF = st.integers(0, 2**32 - 1), st.integers(0, 0xFFFF)
PREFIX = st.builds(
    PrefixInformation, ADDRESS, st.integers(0, 128), st.booleans(), st.booleans(), WORD, WORD
)
OPTIONS = st.builds(
    NdOptions,
    MACS,
    MACS,
    st.lists(PREFIX, max_size=3).map(tuple),
    st.none() | st.integers(1, 9).map(lambda units: bytes(8 * units)),
    st.none() | WORD,
    st.lists(
        st.builds(DnsServers, WORD, st.lists(ADDRESS, min_size=1, max_size=3).map(tuple)),
        max_size=2,
    ).map(tuple),
)
FLAG = st.booleans()
MESSAGES = st.one_of(
    st.builds(RouterSolicitation, OPTIONS),
    st.builds(RouterAdvertisement, st.integers(0, 255), HALF, WORD, WORD, FLAG, FLAG, OPTIONS),
    st.builds(NeighbourSolicitation, UNICAST, OPTIONS),
    st.builds(NeighbourAdvertisement, UNICAST, FLAG, FLAG, FLAG, OPTIONS),
    st.builds(Redirect, ADDRESS, UNICAST, OPTIONS),
)
KINDS = (
    RouterSolicitation, RouterAdvertisement, NeighbourSolicitation, NeighbourAdvertisement,
    Redirect,
)  # fmt: skip


@given(MESSAGES)
def test_what_is_emitted_parses_to_the_same_message(value) -> None:
    data = value.message().emit(A, B)
    assert type(value).of(Icmpv6.parse(data, A, B)) == value


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            RouterSolicitation(NdOptions(source_mac=MAC)),
            ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=str(MAC)),
        ),
        (
            RouterAdvertisement(
                64, 1800, 30_000, 1000, False, True,
                NdOptions(
                    MAC, None, (PrefixInformation(Ipv6("2001:db8::"), 64, True, True, 7200, 1800),),
                    None, 1400, (DnsServers(600, (B,)),),
                ),
            ),
            ICMPv6ND_RA(
                chlim=64, M=0, O=1, prf=0, routerlifetime=1800, reachabletime=30000,
                retranstimer=1000,
            )
            / ICMPv6NDOptSrcLLAddr(lladdr=str(MAC))
            / ICMPv6NDOptPrefixInfo(
                prefix="2001:db8::", prefixlen=64, validlifetime=7200, preferredlifetime=1800
            )
            / ICMPv6NDOptMTU(mtu=1400)
            / ICMPv6NDOptRDNSS(lifetime=600, dns=[str(B)]),
        ),
        (
            NeighbourSolicitation(B, NdOptions(source_mac=MAC)),
            ICMPv6ND_NS(tgt=str(B)) / ICMPv6NDOptSrcLLAddr(lladdr=str(MAC)),
        ),
        (
            NeighbourAdvertisement(B, True, True, True, NdOptions(target_mac=MAC)),
            ICMPv6ND_NA(tgt=str(B), R=1, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=str(MAC)),
        ),
        (
            Redirect(A, B, NdOptions(target_mac=MAC)),
            ICMPv6ND_Redirect(tgt=str(A), dst=str(B)) / ICMPv6NDOptDstLLAddr(lladdr=str(MAC)),
        ),
    ],
    ids=["RS", "RA", "NS", "NA", "redirect"],
)  # fmt: skip
def test_bytes_are_those_of_scapy(ours, theirs) -> None:
    packet = bytes(IPv6(src=str(A), dst=str(ALL_NODES), hlim=255) / theirs)
    assert ours.message().emit(A, ALL_NODES) == packet[40:]


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 1), WORD, st.binary(max_size=80))
def test_any_bytes_are_a_message_or_a_wire_error(kind, code, rest, payload) -> None:
    try:
        kind.of(Icmpv6(135, code, rest, payload))
    except WireError:
        return
    assert code == 0


@given(st.integers(0, 40).map(bytes) | st.binary(max_size=40), st.data())
def test_options_are_parsed_or_a_wire_error(tail, data) -> None:
    kind = data.draw(st.sampled_from([1, 2, 3, 4, 5, 25, 99]))
    options = bytes((kind, data.draw(st.integers(0, 6)))) + tail
    try:
        NeighbourSolicitation.of(Icmpv6(135, 0, 0, B + options))
    except WireError:
        return


def test_unknown_options_are_skipped() -> None:
    unknown = bytes((99, 1)) + bytes(6)
    message = Icmpv6(135, 0, 0, B + unknown + NdOptions(source_mac=MAC).emit())
    assert NeighbourSolicitation.of(message) == NeighbourSolicitation(B, NdOptions(source_mac=MAC))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (Icmpv6(135, 0, 0, B + bytes(8)), "length 0"),
        (Icmpv6(135, 1, 0, bytes(B)), "code 1"),
        (Icmpv6(135, 0, 0, bytes(ALL_NODES)), "group ff02::1"),
        (Icmpv6(135, 0, 0, B + bytes((1, 2)) + bytes(14)), "of 16 bytes, not 8"),
        (Icmpv6(135, 0, 0, B + bytes((3, 4, 129)) + bytes(29)), "129 bits"),
        (Icmpv6(135, 0, 0, B + bytes((25, 2)) + bytes(14)), "whole addresses"),
        (Icmpv6(135, 0, 0, B + (bytes((99, 1)) + bytes(6)) * (OPTION_LIMIT + 1)), "more than"),
    ],
)
def test_what_rfc_4861_does_not_allow_is_malformed(message, why) -> None:
    with pytest.raises(MalformedError, match=why):
        NeighbourSolicitation.of(message)


def test_a_redirect_is_never_for_a_group() -> None:
    with pytest.raises(MalformedError, match="group"):
        Redirect.of(Redirect(A, ALL_NODES).message())


def test_text() -> None:
    prefix = PrefixInformation(Ipv6("2001:db8::"), 64)
    advertisement = RouterAdvertisement(lifetime_s=1800, options=NdOptions(prefixes=(prefix,)))
    texts = [
        str(RouterSolicitation()), str(advertisement), str(NeighbourSolicitation(B)),
        str(NeighbourAdvertisement(B, options=NdOptions(target_mac=MAC))), str(Redirect(A, B)),
    ]  # fmt: skip
    assert texts == [
        "router solicitation",
        "router advertisement, lifetime 1800 s, 2001:db8::/64",
        "neighbour solicitation, who has 2001:db8::2",
        "neighbour advertisement, 2001:db8::2 is at 02:00:00:00:00:01",
        "redirect, 2001:db8::2 by fe80::1",
    ]
