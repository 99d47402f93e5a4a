"""LLDP data units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.lldp import (
    LLDPDUChassisID,
    LLDPDUEndOfLLDPDU,
    LLDPDUPortID,
    LLDPDUSystemName,
    LLDPDUTimeToLive,
)
from scapy.layers.l2 import Ether

from sdnvirt.addresses import Mac
from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.lldp import (
    NEAREST_BRIDGE,
    ChassisId,
    ChassisIdSubtype,
    Lldp,
    PortId,
    PortIdSubtype,
    Tlv,
    TlvType,
)

IDS = st.binary(min_size=1, max_size=255)
UNITS = st.builds(
    Lldp,
    st.builds(ChassisId, st.integers(0, 255), IDS),
    st.builds(PortId, st.integers(0, 255), IDS),
    st.integers(0, 0xFFFF),
    st.lists(st.builds(Tlv, st.integers(4, 127), st.binary(max_size=511)), max_size=4).map(tuple),
)

A = Mac("02:00:00:00:00:01")
UNIT = Lldp(
    ChassisId(ChassisIdSubtype.MAC_ADDRESS, A),
    PortId(PortIdSubtype.INTERFACE_NAME, b"s1-eth1"),
    120,
    (Tlv(TlvType.SYSTEM_NAME, b"s1"),),
)
CHASSIS, PORT, TTL = b"\x02\x02\x07c", b"\x04\x02\x07p", b"\x06\x02\x00\x78"


@given(UNITS, st.binary(max_size=20))
def test_what_is_emitted_parses_to_the_same_unit_with_or_without_padding(
    unit: Lldp, padding: bytes
) -> None:
    assert Lldp.parse(unit.emit() + padding) == unit
    assert Lldp.parse(unit.emit()[:-2]) == unit  # the end TLV is optional


@given(
    st.binary(min_size=6, max_size=6),
    st.binary(min_size=1, max_size=40),
    st.integers(0, 0xFFFF),
    st.binary(min_size=1, max_size=40),
)
def test_bytes_are_those_of_scapy(mac: bytes, name: bytes, ttl_s: int, system: bytes) -> None:
    ours = Lldp(
        ChassisId(ChassisIdSubtype.MAC_ADDRESS, mac),
        PortId(PortIdSubtype.INTERFACE_NAME, name),
        ttl_s,
        (Tlv(TlvType.SYSTEM_NAME, system),),
    )
    theirs = (
        Ether(dst=str(NEAREST_BRIDGE), src=str(A), type=EtherType.LLDP)
        / LLDPDUChassisID(subtype=4, id=str(Mac(mac)))
        / LLDPDUPortID(subtype=5, id=name)
        / LLDPDUTimeToLive(ttl=ttl_s)
        / LLDPDUSystemName(system_name=system)
        / LLDPDUEndOfLLDPDU()
    )
    assert ours.emit().ljust(46, b"\0") == bytes(theirs)[14:]  # scapy pads to the minimum


def test_a_unit_cut_inside_a_tlv_is_truncated() -> None:
    data = CHASSIS + PORT + TTL
    assert Lldp.parse(data).ttl_s == 120
    for length in range(len(data)):
        with pytest.raises(TruncatedError):
            Lldp.parse(data[:length])


@pytest.mark.parametrize(
    "data",
    [
        PORT + CHASSIS + TTL,
        CHASSIS + TTL + PORT,
        CHASSIS + PORT + b"\x00\x00",
        CHASSIS + PORT + TTL + TTL,
        CHASSIS + PORT + TTL + PORT,
        CHASSIS + PORT + b"\x06\x01\x78",
        CHASSIS + PORT + b"\x06\x03\x00\x00\x78",
        CHASSIS + PORT + TTL + b"\x00\x01\x00",
        b"\x02\x01\x07" + PORT + TTL,
        b"\x03\x01\x07" + bytes(256) + PORT + TTL,
    ],
)
def test_mandatory_tlvs_out_of_place_doubled_or_of_wrong_length_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Lldp.parse(data)


@given(st.data())
def test_a_corrupted_unit_is_a_unit_or_a_wire_error(data: st.DataObject) -> None:
    corrupted = bytearray(UNIT.emit())
    for offset in data.draw(st.lists(st.integers(0, len(corrupted) - 1), min_size=1, max_size=4)):
        corrupted[offset] = data.draw(st.integers(0, 255))
    try:
        unit = Lldp.parse(bytes(corrupted))
    except WireError:
        return
    assert bytes(corrupted).startswith(unit.emit()[:-2])
    assert str(unit)


def test_text() -> None:
    assert str(UNIT) == "LLDP, chassis 02:00:00:00:00:01, port s1-eth1, ttl 120"
    local = Lldp(ChassisId(ChassisIdSubtype.LOCAL, b"dpid:1\xff"), PortId(3, A), 0)
    assert str(local) == "LLDP, chassis dpid:1\\xff, port 02:00:00:00:00:01, ttl 0"
