"""Neighbour discovery, duplicate address detection and autoconfiguration, message by message."""

from __future__ import annotations

from ipaddress import IPv6Interface, IPv6Network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6MLReport2,
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
from scapy.layers.l2 import Ether

from sdnvirt.addresses import Ipv6, Mac
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.addressing import AddressState
from sdnvirt.host.advertiser import Advertised, Advertiser
from sdnvirt.host.neighbour_states import Delay, Probe, Reachable, Stale
from sdnvirt.host.slaac import ADVERTISED_ADDRESS_LIMIT, PREFIX_LIMIT, ROUTER_LIMIT, eui64

S = 10**9
ALICE, WIRE = "02:00:00:00:00:01", "02:00:00:00:00:02"
A, B = "2001:db8::1", "2001:db8::2"
A_LINK, B_LINK = "fe80::ff:fe00:1", "fe80::ff:fe00:2"
A_NODE, A_NODE_MAC = "ff02::1:ff00:1", "33:33:ff:00:00:01"
ALL, ALL_MAC = "ff02::1", "33:33:00:00:00:01"


def solicitation(target: str = A, src: str = B, hlim: int = 255, **option) -> bytes:
    message = Ether(dst=A_NODE_MAC, src=WIRE) / IPv6(src=src, dst=A_NODE, hlim=hlim)
    message /= ICMPv6ND_NS(tgt=target)
    return bytes(message / ICMPv6NDOptSrcLLAddr(lladdr=WIRE) if src != "::" else message)


def advertisement(target: str = B, dst: str = A, mac: str | None = WIRE, **flags) -> bytes:
    fields = {"R": 0, "S": 1, "O": 1, **flags}
    ether = Ether(dst=ALL_MAC if dst == ALL else ALICE, src=WIRE)
    message = ether / IPv6(src=target, dst=dst, hlim=255) / ICMPv6ND_NA(tgt=target, **fields)
    return bytes(message / ICMPv6NDOptDstLLAddr(lladdr=mac) if mac else message)


def router_advertisement(*options, src: str = B_LINK, hlim: int = 255, **fields) -> bytes:
    message = Ether(dst=ALL_MAC, src=WIRE) / IPv6(src=src, dst=ALL, hlim=hlim)
    message /= ICMPv6ND_RA(**{"routerlifetime": 1800, "chlim": 0, **fields})
    for option in (ICMPv6NDOptSrcLLAddr(lladdr=WIRE), *options):
        message /= option
    return bytes(message)


def prefix(text: str = "2001:db8:1::", valid: int = 7200, preferred: int = 3600, **flags):
    return ICMPv6NDOptPrefixInfo(
        prefix=text, prefixlen=64, validlifetime=valid, preferredlifetime=preferred, **flags
    )


def heard(wired, layer) -> list:
    return [one for one in map(Ether, wired.wire.listen()) if layer in one]


def state(host, text: str) -> AddressState | None:
    found = host.interface.addresses.get(Ipv6(text))
    return None if found is None else found.state


def neighbour(wired, text: str = B) -> type:
    interface = wired.host.interface
    return interface.nd.neighbours.state(Ipv6(text), wired.world.scheduler.now)


def run(wired, seconds: float) -> None:
    scheduler = wired.world.scheduler
    scheduler.run_until(scheduler.now + int(seconds * S))


class TestSilence:
    def test_an_interface_that_was_not_asked_to_speaks_no_ipv6(self, wired) -> None:
        wired.wire.say(solicitation())
        wired.wire.say(bytes(Ether(dst=ALICE, src=WIRE) / IPv6(src=B, dst=A_LINK)))
        run(wired, 60)
        assert wired.wire.listen() == []
        assert wired.world.ledger.by_reason() == {
            DropReason.NOT_FOR_ME_L2: 1, DropReason.UNKNOWN_PROTOCOL: 1,
        }  # fmt: skip


class TestAddresses:
    def test_a_host_has_a_link_local_address_of_its_mac_address(self, wired6) -> None:
        assert wired6.host.interface.link_local == Ipv6(A_LINK)
        assert eui64(IPv6Network("fe80::/64"), Mac("34:56:78:9a:bc:de")) == Ipv6(
            "fe80::3656:78ff:fe9a:bcde"  # the example of RFC 2464, 4
        )

    def test_an_address_is_tried_before_it_is_used(self, wired) -> None:
        wired.host.configure(IPv6Interface(f"{A}/64"))
        assert state(wired.host, A) is AddressState.TENTATIVE
        run(wired, 1)
        asked = heard(wired, ICMPv6ND_NS)
        assert {(one[IPv6].src, one[IPv6].dst, one[ICMPv6ND_NS].tgt) for one in asked} == {
            ("::", "ff02::1:ff00:1", A), ("::", "ff02::1:ff00:1", A_LINK),
        }  # fmt: skip
        assert all(ICMPv6NDOptSrcLLAddr not in one for one in asked)
        assert {one[IPv6].hlim for one in asked} == {255}
        run(wired, 1)
        assert state(wired.host, A) is AddressState.PREFERRED

    def test_a_tentative_address_is_not_answered_for(self, wired) -> None:
        wired.host.configure(IPv6Interface(f"{A}/64"))
        wired.wire.say(solicitation())
        assert heard(wired, ICMPv6ND_NA) == []
        assert state(wired.host, A) is AddressState.TENTATIVE

    @pytest.mark.parametrize("rival", [
        advertisement(A, dst=ALL, S=0), solicitation(A, src="::"),
    ], ids=["somebody has it", "somebody wants it, too"])  # fmt: skip
    def test_a_duplicate_is_not_used(self, wired, rival) -> None:
        wired.host.configure(IPv6Interface(f"{A}/64"))
        wired.wire.say(rival)
        run(wired, 5)
        assert state(wired.host, A) is AddressState.DUPLICATE
        wired.wire.listen()
        wired.wire.say(solicitation())
        assert heard(wired, ICMPv6ND_NA) == []
        assert wired.host.ip.source_for(Ipv6(B)) != Ipv6(A)

    def test_two_hosts_with_one_address_notice(self, pair) -> None:
        for host in (pair.alice, pair.bob):
            host.configure(IPv6Interface(f"{A}/64"))
        pair.run(5)
        states = [state(host, A) for host in (pair.alice, pair.bob)]
        assert AddressState.DUPLICATE in states

    def test_an_address_in_use_is_defended(self, wired6) -> None:
        wired6.wire.say(solicitation(A, src="::"))
        [answer] = heard(wired6, ICMPv6ND_NA)
        assert (answer[IPv6].src, answer[IPv6].dst, answer.dst) == (A, ALL, ALL_MAC)
        assert (answer[ICMPv6ND_NA].S, answer[ICMPv6ND_NA].O) == (0, 1)

    def test_addresses_come_and_go(self, wired6) -> None:
        host = wired6.host
        assert host.add_address(IPv6Interface("2001:db8:5::1/64"))
        run(wired6, 3)
        assert state(host, "2001:db8:5::1") is AddressState.PREFERRED
        host.configure(IPv6Interface("2001:db8:6::1/64"))
        assert state(host, A) is None
        assert state(host, "2001:db8:5::1") is None
        assert host.interface.link_local == Ipv6(A_LINK)
        assert [str(route.network) for route in host.routes if route.family is Ipv6] == [
            "fe80::/64", "2001:db8:6::/64", "ff00::/8",
        ]  # fmt: skip


class TestResolution:
    def test_a_solicitation_is_answered_and_learned_from(self, wired6) -> None:
        wired6.wire.say(solicitation())
        [answer] = heard(wired6, ICMPv6ND_NA)
        assert (answer.dst, answer[IPv6].dst, answer[IPv6].hlim) == (WIRE, B, 255)
        assert (answer[ICMPv6ND_NA].tgt, answer[ICMPv6ND_NA].S) == (A, 1)
        assert answer[ICMPv6NDOptDstLLAddr].lladdr == ALICE
        assert answer[ICMPv6ND_NA].R == 0
        assert neighbour(wired6) is Stale

    def test_who_asks_without_telling_its_mac_address_is_asked_first(self, wired6) -> None:
        probe = Ether(dst=ALICE, src=WIRE) / IPv6(src=B, dst=A, hlim=255) / ICMPv6ND_NS(tgt=A)
        wired6.wire.say(bytes(probe))
        [asked] = heard(wired6, ICMPv6ND_NS)
        assert asked[ICMPv6ND_NS].tgt == B
        wired6.wire.say(advertisement())
        [answer] = heard(wired6, ICMPv6ND_NA)
        assert (answer.dst, answer[IPv6].dst, answer[IPv6].hlim) == (WIRE, B, 255)

    def test_a_neighbour_is_asked_for_in_its_group(self, wired6) -> None:
        ping = wired6.host.start_ping(Ipv6(B), count=1)
        [asked] = heard(wired6, ICMPv6ND_NS)
        assert (asked.dst, asked[IPv6].dst) == ("33:33:ff:00:00:02", "ff02::1:ff00:2")
        assert asked[IPv6].src == A
        assert asked[ICMPv6NDOptSrcLLAddr].lladdr == ALICE
        wired6.wire.say(advertisement())
        [request] = heard(wired6, ICMPv6EchoRequest)
        assert (request.dst, request[IPv6].dst) == (WIRE, B)
        assert neighbour(wired6) is Reachable
        assert not ping.done

    def test_a_silent_neighbour_is_told_of(self, dual) -> None:
        ping = dual.alice.start_ping(Ipv6("2001:db8::13"), count=1, timeout_ns=60 * S)
        dual.run(10)
        assert ping.result().errors == ("2001:db8::13: no answer to neighbour solicitations",)

    def test_a_stale_neighbour_gets_time_and_is_probed_then(self, wired6) -> None:
        wired6.wire.say(solicitation())
        wired6.wire.listen()
        wired6.host.start_ping(Ipv6(B), count=1, timeout_ns=S)
        assert [one.dst for one in heard(wired6, ICMPv6EchoRequest)] == [WIRE]
        assert neighbour(wired6) is Delay
        run(wired6, 5)
        [probe] = heard(wired6, ICMPv6ND_NS)
        assert (probe.dst, probe[IPv6].dst) == (WIRE, B)
        assert neighbour(wired6) is Probe
        wired6.wire.say(advertisement(mac=None))
        assert neighbour(wired6) is Reachable

    def test_progress_above_confirms_a_neighbour(self, wired6) -> None:
        wired6.wire.say(solicitation())
        wired6.host.ip.path(Ipv6(B)).confirm()
        assert neighbour(wired6) is Reachable

    @pytest.mark.parametrize(
        ("override", "mac", "expected"), [(1, WIRE, Reachable), (0, "02:00:00:00:00:99", Stale),
                                          (1, "02:00:00:00:00:99", Stale)],
    )  # fmt: skip
    def test_what_is_told_unasked_moves_a_neighbour_if_it_may(
        self, wired6, override, mac, expected
    ) -> None:
        wired6.host.start_ping(Ipv6(B), count=1)
        wired6.wire.listen()
        wired6.wire.say(advertisement())
        wired6.wire.say(advertisement(dst=ALL, mac=mac, S=0, O=override))
        assert neighbour(wired6) is expected
        wired6.wire.listen()
        wired6.host.start_ping(Ipv6(B), count=1)
        [request] = heard(wired6, ICMPv6EchoRequest)
        assert request.dst == (mac if override else WIRE)

    def test_an_advertisement_nobody_asked_for_makes_no_entry(self, wired6) -> None:
        wired6.wire.say(advertisement())
        assert len(wired6.host.interface.nd.neighbours) == 0
        assert wired6.world.ledger.by_reason()[DropReason.NOT_MY_ND] == 1

    def test_an_ip_host_finds_another(self, dual) -> None:
        ping = dual.alice.start_ping(Ipv6(B))
        dual.run(3)
        assert ping.result().received == 3


HOSTILE = {
    "a solicitation from afar": (solicitation(hlim=254), DropReason.HOP_LIMIT_NOT_255),
    "an advertisement of a group": (advertisement(mac="33:33:00:00:00:01"), DropReason.MALFORMED),
    "solicited, but to all": (advertisement(dst=ALL, S=1), DropReason.MALFORMED),
    "a solicitation that tells a group": (
        bytes(Ether(dst=A_NODE_MAC, src=WIRE) / IPv6(src=B, dst=A_NODE, hlim=255)
              / ICMPv6ND_NS(tgt=A) / ICMPv6NDOptSrcLLAddr(lladdr="33:33:00:00:00:01")),
        DropReason.MALFORMED,
    ),
    "for somebody else": (solicitation("2001:db8::77"), DropReason.NOT_MY_ND),
    "a router that is far away": (router_advertisement(hlim=64), DropReason.HOP_LIMIT_NOT_255),
    "a router with a global address": (router_advertisement(src=B), DropReason.MALFORMED),
    "a redirect from no gateway": (
        bytes(Ether(dst=ALICE, src=WIRE) / IPv6(src=B_LINK, dst=A, hlim=255)
              / ICMPv6ND_Redirect(tgt=B_LINK, dst="2001:db8:9::1")), DropReason.REDIRECT_IGNORED,
    ),
    "a solicitation of routers": (
        bytes(Ether(dst=ALICE, src=WIRE) / IPv6(src=B_LINK, dst=A_LINK, hlim=255) / ICMPv6ND_RS()),
        DropReason.NOT_FOR_ME_L3,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_messages_are_dropped_for_a_reason(wired6, data, reason) -> None:
    before = wired6.world.ledger.by_reason()
    wired6.wire.say(data)
    after = wired6.world.ledger.by_reason()
    assert {
        one: after[one] - before.get(one, 0) for one in after if after[one] != before.get(one)
    } == {reason: 1}
    assert wired6.wire.listen() == []


class TestRouters:
    def test_a_host_asks_for_routers_until_it_has_given_up(self, wired) -> None:
        wired.host.enable_ipv6()
        run(wired, 30)
        asked = heard(wired, ICMPv6ND_RS)
        assert [one[IPv6].dst for one in asked] == ["ff02::2"] * 3
        assert [ICMPv6NDOptSrcLLAddr in one for one in asked] == [
            one[IPv6].src != "::" for one in asked
        ]

    def test_it_asks_no_more_once_it_was_answered(self, wired) -> None:
        wired.host.enable_ipv6()
        run(wired, 2)
        wired.wire.say(router_advertisement())
        wired.wire.listen()
        run(wired, 30)
        assert heard(wired, ICMPv6ND_RS) == []

    def test_a_router_gives_a_default_route_and_an_address(self, wired6) -> None:
        wired6.wire.say(router_advertisement(prefix(), ICMPv6NDOptMTU(mtu=1400), chlim=33))
        run(wired6, 3)
        own = "2001:db8:1::ff:fe00:1"
        assert state(wired6.host, own) is AddressState.PREFERRED
        path = wired6.host.ip.path(Ipv6("2001:db8:1:77::1"))
        assert (str(path.src), str(path.next_hop)) == (own, B_LINK)
        assert (path.mtu, path.hop_limit) == (1400, 33)
        on_link = wired6.host.ip.path(Ipv6("2001:db8:1::77"))
        assert on_link.next_hop == on_link.dst

    def test_a_router_that_stops_is_used_no_more(self, wired6) -> None:
        wired6.wire.say(router_advertisement())
        assert wired6.host.ip.source_for(Ipv6("2001:db8:77::1")) is not None
        wired6.wire.say(router_advertisement(routerlifetime=0))
        assert wired6.host.ip.source_for(Ipv6("2001:db8:77::1")) is None

    def test_lifetimes_end(self, wired6) -> None:
        wired6.wire.say(
            router_advertisement(
                prefix(valid=100, preferred=50),
                ICMPv6NDOptRDNSS(lifetime=70, dns=[B]),
                routerlifetime=60,
            )
        )
        own = "2001:db8:1::ff:fe00:1"
        learned = wired6.host.interface.nd.autoconfiguration
        run(wired6, 49)
        assert state(wired6.host, own) is AddressState.PREFERRED
        run(wired6, 2)
        assert state(wired6.host, own) is AddressState.DEPRECATED
        run(wired6, 10)
        assert learned.routers == {}
        assert list(learned.dns_servers) == [Ipv6(B)]
        run(wired6, 10)
        assert learned.dns_servers == {}
        run(wired6, 30)
        assert state(wired6.host, own) is None
        assert learned.prefixes == {}
        routes = [str(one.network) for one in wired6.host.routes if one.family is Ipv6]
        assert routes == ["2001:db8::/64", "fe80::/64", "ff00::/8"]

    def test_a_forged_lifetime_cuts_an_address_to_two_hours(self, wired6) -> None:
        own = "2001:db8:1::ff:fe00:1"
        wired6.wire.say(router_advertisement(prefix(valid=86400)))
        address = wired6.host.interface.addresses[Ipv6(own)]
        wired6.wire.say(router_advertisement(prefix(valid=1, preferred=1)))
        now = wired6.world.scheduler.now
        assert abs(address.valid_ns - now - 7200 * S) < S
        wired6.wire.say(router_advertisement(prefix(valid=60, preferred=60)))
        assert abs(address.valid_ns - now - 7200 * S) < S  # no shorter than two hours, so ignored
        wired6.wire.say(router_advertisement(prefix(valid=0xFFFFFFFF)))
        assert address.valid_ns == NEVER

    @pytest.mark.parametrize(
        "option",
        [prefix("fe80::"), prefix(valid=10, preferred=20), prefix("2001:db8:1::", A=0, L=0),
         ICMPv6NDOptPrefixInfo(prefix="2001:db8:1::", prefixlen=48, L=0),
         ICMPv6NDOptMTU(mtu=1279), ICMPv6NDOptMTU(mtu=9001)],
        ids=["link-local", "preferred for longer than valid", "neither", "48 bits", "MTU too small",
             "MTU too large"],
    )  # fmt: skip
    def test_what_is_to_be_ignored_is(self, wired6, option) -> None:
        interface = wired6.host.interface
        before = list(interface.addresses)
        wired6.wire.say(router_advertisement(option))
        assert list(interface.addresses) == before
        assert wired6.host.ip.path(Ipv6(B)).mtu == interface.mtu

    def test_a_silent_router_gives_way_to_another(self, wired6) -> None:
        other = "fe80::99"
        wired6.wire.say(router_advertisement())
        wired6.wire.say(router_advertisement(src=other))
        far = Ipv6("2001:db8:77::1")
        assert str(wired6.host.ip.path(far).next_hop) == B_LINK
        wired6.host.start_ping(far, count=1)
        run(wired6, 15)  # DELAY, three probes, and none is answered
        assert str(wired6.host.ip.path(far).next_hop) == other

    def test_a_neighbour_that_says_it_is_no_router_is_none(self, wired6) -> None:
        wired6.wire.say(router_advertisement())
        wired6.wire.say(advertisement(B_LINK, R=0))
        assert wired6.host.interface.nd.autoconfiguration.routers == {}

    def test_a_redirect_changes_the_way_to_one_destination(self, wired6) -> None:
        wired6.wire.say(router_advertisement())
        far, better = "2001:db8:77::1", "fe80::99"
        wired6.wire.say(
            bytes(
                Ether(dst=ALICE, src=WIRE) / IPv6(src=B_LINK, dst=A, hlim=255)
                / ICMPv6ND_Redirect(tgt=better, dst=far)
                / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:99")
            )
        )  # fmt: skip
        assert str(wired6.host.ip.path(Ipv6(far)).next_hop) == better
        assert str(wired6.host.ip.path(Ipv6("2001:db8:77::2")).next_hop) == B_LINK
        wired6.wire.listen()
        wired6.host.start_ping(Ipv6(far), count=1)
        [request] = heard(wired6, ICMPv6EchoRequest)
        assert request.dst == "02:00:00:00:00:99"

    def test_hostile_routers_cost_bounded_memory(self, wired6) -> None:
        for number in range(3 * PREFIX_LIMIT):
            option = prefix(f"2001:db8:{number + 16:x}::")
            wired6.wire.say(router_advertisement(option, src=f"fe80::{number + 1:x}"))
        learned = wired6.host.interface.nd.autoconfiguration
        assert (len(learned.routers), len(learned.prefixes)) == (ROUTER_LIMIT, PREFIX_LIMIT)
        assert len(wired6.host.interface.addresses) == 3 + ADVERTISED_ADDRESS_LIMIT
        assert len(wired6.host.routes) <= 10 + ROUTER_LIMIT + PREFIX_LIMIT


class TestAdvertiser:
    def test_a_host_learns_its_network_from_another(self, pair) -> None:
        Advertiser(pair.bob, Advertised.of(IPv6Network("2001:db8:1::/64")))
        pair.bob.configure(IPv6Interface("2001:db8:1::2/64"))
        pair.alice.enable_ipv6()
        pair.run(12)
        assert state(pair.alice, "2001:db8:1::ff:fe00:1") is AddressState.PREFERRED
        ping = pair.alice.start_ping(Ipv6("2001:db8:1::2"))
        pair.run(3)
        assert ping.result().received == 3
        assert pair.bob.interface.nd.autoconfiguration.routers == {}

    def test_a_solicitation_is_answered_soon(self, wired) -> None:
        Advertiser(wired.host, Advertised.of(IPv6Network("2001:db8:1::/64")))
        run(wired, 100)
        wired.wire.listen()
        solicit = Ether(dst="33:33:00:00:00:02", src=WIRE) / IPv6(
            src=B_LINK, dst="ff02::2", hlim=255
        )
        wired.wire.say(bytes(solicit / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=WIRE)))
        wired.wire.say(bytes(solicit / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=WIRE)))
        run(wired, 1)
        [answer] = heard(wired, ICMPv6ND_RA)
        assert (answer[IPv6].src, answer[IPv6].dst, answer[IPv6].hlim) == (A_LINK, ALL, 255)
        assert answer[ICMPv6NDOptPrefixInfo].prefix == "2001:db8:1::"
        assert answer[ICMPv6NDOptSrcLLAddr].lladdr == ALICE

    def test_it_speaks_unasked_soon_and_then_seldom(self, wired) -> None:
        Advertiser(wired.host, Advertised.of(IPv6Network("2001:db8:1::/64")))
        run(wired, 60)
        assert len(heard(wired, ICMPv6ND_RA)) == 4
        run(wired, 1800)
        assert 2 <= len(heard(wired, ICMPv6ND_RA)) <= 9

    def test_it_says_that_it_is_a_router(self, wired) -> None:
        Advertiser(wired.host, Advertised())
        run(wired, 5)
        wired.wire.listen()
        wired.wire.say(solicitation(A_LINK))
        [answer] = heard(wired, ICMPv6ND_NA)
        assert answer[ICMPv6ND_NA].R == 1

    def test_it_says_goodbye(self, wired) -> None:
        advertiser = Advertiser(wired.host, Advertised())
        run(wired, 5)
        wired.wire.listen()
        advertiser.stop()
        [last] = heard(wired, ICMPv6ND_RA)
        assert last[ICMPv6ND_RA].routerlifetime == 0
        run(wired, 1000)
        assert heard(wired, ICMPv6ND_RA) == []


def test_listeners_are_reported_for_the_groups_of_addresses(wired) -> None:
    wired.host.configure(IPv6Interface(f"{A}/64"))
    reports = heard(wired, ICMPv6MLReport2)
    groups = {record.dst for one in reports for record in one[ICMPv6MLReport2].records}
    assert groups == {A_NODE}  # that of all nodes is never reported
    assert {(one[IPv6].dst, one[IPv6].hlim) for one in reports} == {("ff02::16", 1)}


VALID = [
    solicitation(), solicitation(src="::"), advertisement(), router_advertisement(prefix()),
    bytes(Ether(dst=ALICE, src=WIRE) / IPv6(src=B, dst=A) / ICMPv6EchoRequest(data=b"x")),
    bytes(Ether(dst=ALICE, src=WIRE) / IPv6(src=B, dst=A) / ICMPv6EchoReply()),
]  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(VALID), st.data())
def test_mutated_frames_are_accounted_for(wired6, frame: bytes, draw) -> None:
    mutated = bytearray(frame)
    for _ in range(draw.draw(st.integers(1, 4))):
        mutated[draw.draw(st.integers(12, len(frame) - 1))] = draw.draw(st.integers(0, 255))
    wired6.wire.say(bytes(mutated[: draw.draw(st.integers(0, len(frame)))]))
    assert wired6.world.ledger.imbalance() == 0
