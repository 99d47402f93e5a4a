"""Group membership on the wire: IGMP, MLD, and the group records of both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3gr, IGMPv3mq, IGMPv3mr
from scapy.layers.inet6 import (
    ICMPv6MLDMultAddrRec,
    ICMPv6MLDone,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6MLReport,
    ICMPv6MLReport2,
    IPv6,
)

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire import igmp, mld
from sdnvirt.wire.checksum import ChecksumError, internet_checksum
from sdnvirt.wire.group_records import (
    RECORD_LIMIT,
    GroupRecord,
    RecordType,
    decode_float,
    encode_float,
)
from sdnvirt.wire.icmpv6 import Icmpv6
from sdnvirt.wire.igmp import IgmpType

G4, S4 = Ipv4("239.1.2.3"), Ipv4("10.0.0.1")
G6, S6 = Ipv6("ff05::123"), Ipv6("2001:db8::1")
A, B = Ipv6("fe80::1"), Ipv6("ff02::16")

GROUPS4 = st.binary(min_size=3, max_size=3).map(lambda low: Ipv4(b"\xe9" + low))
GROUPS6 = st.binary(min_size=15, max_size=15).map(lambda low: Ipv6(b"\xff" + low))
SOURCES4 = st.lists(st.binary(min_size=4, max_size=4).map(Ipv4), max_size=4).map(tuple)
SOURCES6 = st.lists(st.binary(min_size=16, max_size=16).map(Ipv6), max_size=4).map(tuple)
TYPE = st.sampled_from([IgmpType.REPORT_V1, IgmpType.REPORT_V2, IgmpType.LEAVE])
BYTE = st.integers(0, 255)


def queries(family, versions, group, sources):
    plain = st.builds(
        family, st.sampled_from(versions[:-1]), st.integers(1, 255).map(lambda n: n * 100), group
    )
    full = st.builds(
        family, st.just(versions[-1]), st.integers(0, 127).map(lambda n: n * 100), group,
        st.booleans(), st.integers(0, 7), BYTE, sources,
    )  # fmt: skip
    return plain | full


IGMP_MESSAGES = st.one_of(
    queries(igmp.Query, (2, 3), GROUPS4 | st.just(Ipv4(0)), SOURCES4),
    st.just(igmp.Query(1)),
    st.builds(igmp.Membership, TYPE, GROUPS4),
    st.lists(st.builds(GroupRecord, BYTE, GROUPS4, SOURCES4), max_size=4).map(
        lambda records: igmp.Report(tuple(records))
    ),
)
MLD_MESSAGES = st.one_of(
    queries(mld.Query, (1, 2), GROUPS6 | st.just(Ipv6(0)), SOURCES6),
    st.builds(mld.Listener, GROUPS6, st.booleans()),
    st.lists(st.builds(GroupRecord, BYTE, GROUPS6, SOURCES6), max_size=4).map(
        lambda records: mld.Report(tuple(records))
    ),
)


@given(IGMP_MESSAGES)
def test_an_igmp_message_parses_to_itself(message) -> None:
    assert igmp.parse(message.emit()) == message


@given(MLD_MESSAGES)
def test_an_mld_message_parses_to_itself(message) -> None:
    data = message.message().emit(A, B)
    assert type(message).of(Icmpv6.parse(data, A, B)) == message


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (igmp.Membership(IgmpType.REPORT_V2, G4), IGMP(type=0x16, mrcode=0, gaddr=str(G4))),
        (igmp.Membership(IgmpType.LEAVE, G4), IGMP(type=0x17, mrcode=0, gaddr=str(G4))),
        (igmp.Query(2, 2000, G4), IGMP(type=0x11, mrcode=20, gaddr=str(G4))),
        (
            igmp.Query(3, 1000, G4, False, 2, 125, (S4,)),
            IGMPv3mq(
                mrcode=10, gaddr=str(G4), qrv=2, qqic=125, numsrc=1, srcaddrs=[str(S4)]
            ),
        ),
        (
            igmp.Report(
                (GroupRecord(RecordType.TO_EXCLUDE, G4), GroupRecord(RecordType.ALLOW, G4, (S4,)))
            ),
            IGMPv3mr(numgrp=2, records=[IGMPv3gr(rtype=4, maddr=str(G4)),
                                IGMPv3gr(rtype=5, maddr=str(G4), numsrc=1,
                                         srcaddrs=[str(S4)])]),
        ),
    ],
)  # fmt: skip
def test_igmp_bytes_are_those_of_scapy(ours, theirs) -> None:
    assert ours.emit() == bytes(theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (mld.Query(1, 1000, G6), ICMPv6MLQuery(mrd=1000, mladdr=str(G6))),
        (mld.Listener(G6), ICMPv6MLReport(mladdr=str(G6))),
        (mld.Listener(G6, done=True), ICMPv6MLDone(mladdr=str(G6))),
        (
            mld.Query(2, 1000, G6, False, 2, 125, (S6,)),
            ICMPv6MLQuery2(mrd=1000, mladdr=str(G6), QRV=2, QQIC=125, sources=[str(S6)]),
        ),
        (
            mld.Report((GroupRecord(RecordType.TO_EXCLUDE, G6),)),
            ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(rtype=4, dst=str(G6))]),
        ),
    ],
)
def test_mld_bytes_are_those_of_scapy(ours, theirs) -> None:
    packet = IPv6(src=str(A), dst=str(B)) / theirs
    dissected = bytes(packet)
    payload = dissected[dissected.index(bytes([ours.message().type]), 40) :]
    assert ours.message().emit(A, B) == payload[: len(ours.message().payload) + 8]


@given(st.binary(max_size=60))
def test_any_bytes_are_igmp_or_a_wire_error(tail: bytes) -> None:
    for kind in (0x11, 0x12, 0x16, 0x17, 0x22, 0x99):
        data = bytes((kind, 5, 0, 0)) + tail
        data = data[:2] + internet_checksum(data).to_bytes(2, "big") + data[4:]
        try:
            igmp.parse(data)
        except WireError:
            continue


@pytest.mark.parametrize("kind", [mld.Query, mld.Listener, mld.Report])
@given(st.integers(0, 2**32 - 1), st.binary(max_size=60))
def test_any_bytes_are_mld_or_a_wire_error(kind, rest, payload) -> None:
    try:
        kind.of(Icmpv6(130, 0, rest, payload))
    except WireError:
        return


def test_versions_of_igmp_queries_are_told_apart() -> None:
    assert igmp.parse(igmp.Query(1).emit()).max_response_ms == 10_000
    assert igmp.parse(igmp.Query(2, 500).emit()).version == 2
    data = igmp.Query(3).emit()
    assert igmp.parse(data).version == 3
    with pytest.raises(WireError):
        igmp.parse(data[:10])


def test_only_groups_are_reported() -> None:
    no_group = bytes(GroupRecord(1, S4).emit())
    data = bytes((0x22, 0, 0, 0, 0, 0, 0, 1)) + no_group
    data = data[:2] + internet_checksum(data).to_bytes(2, "big") + data[4:]
    with pytest.raises(MalformedError, match="not a group"):
        igmp.parse(data)
    with pytest.raises(MalformedError, match="not a group"):
        igmp.parse(igmp.Membership(IgmpType.REPORT_V2, S4).emit())
    with pytest.raises(MalformedError, match="not a group"):
        mld.Listener.of(mld.Listener(S6).message())


def test_a_wrong_checksum_and_a_cut_message() -> None:
    data = igmp.Membership(IgmpType.REPORT_V2, G4).emit()
    with pytest.raises(ChecksumError):
        igmp.parse(data[:7] + b"\xff")
    for length in range(8):
        with pytest.raises(TruncatedError):
            igmp.parse(data[:length])


def test_records_are_bounded_and_whole() -> None:
    record = GroupRecord(RecordType.IS_INCLUDE, G4, (S4, S4))
    with pytest.raises(MalformedError, match="group records"):
        igmp.parse(igmp.Report((record,) * (RECORD_LIMIT + 1)).emit())
    report = mld.Report((GroupRecord(RecordType.IS_INCLUDE, G6),)).message()
    with pytest.raises(TruncatedError):
        mld.Report.of(Icmpv6(143, 0, 2, report.payload))


@given(st.integers(0, 255))
def test_the_floating_point_of_igmp(code: int) -> None:
    value = decode_float(code, 8)
    expected = code if code < 128 else ((code & 15) | 16) << ((code >> 4 & 7) + 3)
    assert value == expected
    assert encode_float(value, 8) == code


@given(st.integers(0, 0xFFFF))
def test_the_floating_point_of_mld(code: int) -> None:
    value = decode_float(code, 16)
    expected = code if code < 32768 else ((code & 0xFFF) | 0x1000) << ((code >> 12 & 7) + 3)
    assert value == expected
    assert encode_float(value, 16) == code


@given(st.integers(0, 2**24))
def test_a_value_is_never_rounded_up(value: int) -> None:
    assert decode_float(encode_float(value, 8), 8) <= value
    assert decode_float(encode_float(value, 16), 16) <= value


def test_text() -> None:
    texts = [
        str(igmp.Query(2, 1000)), str(igmp.Query(3, 1000, G4)),
        str(igmp.Membership(IgmpType.REPORT_V2, G4)), str(igmp.Report(())),
        str(mld.Query(1)), str(mld.Query(2, 1000, G6)), str(mld.Listener(G6, True)),
        str(mld.Report(())),
    ]  # fmt: skip
    assert texts == [
        "igmp query v2",
        "igmp query v3 for 239.1.2.3",
        "igmp report v2 239.1.2.3",
        "igmp v3 report, 0 group record(s)",
        "multicast listener query v1",
        "multicast listener query v2 for ff05::123",
        "multicast listener done ff05::123",
        "multicast listener report v2, 0 group record(s)",
    ]
