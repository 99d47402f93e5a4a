"""Actions of OpenFlow 1.0, which do what they can, compared with packets that scapy builds anew."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Packet, Raw

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.extensions import SetIfPresent, Settable, SetVlanPcp, SetVlanVid, StripVlan
from sdnvirt.openflow.v13.actions import Output

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
V4 = {"src": "10.0.0.1", "dst": "10.0.0.2", "tos": 0x55}
V6 = {"src": "fd00::1", "dst": "fd00::2", "tc": 0x55}
PORTS = {"sport": 11, "dport": 22}
BODY = Raw(b"a body of any length")
UDP4 = IP(**V4) / UDP(**PORTS) / BODY
ADDRESS = 0x0A636363
"""10.99.99.99"""


def changed(driver: Any, packet: Packet, *actions: Action) -> bytes:
    """Return what becomes of a packet, cached or not."""
    driver.apply(*actions, Output(2))
    ((port, data),) = driver.send(bytes(packet))
    assert port == 2
    return bytes(data)


# tags


@pytest.mark.parametrize(("action", "before", "after"), [
    (SetVlanVid(203), ETHER / UDP4, ETHER / Dot1Q(vlan=203) / UDP4),
    (SetVlanVid(203), ETHER / Dot1Q(vlan=1, prio=5) / UDP4, ETHER / Dot1Q(vlan=203, prio=5) / UDP4),
    (SetVlanVid(0), ETHER / ARP(), ETHER / Dot1Q(vlan=0) / ARP()),
    (SetVlanPcp(6), ETHER / UDP4, ETHER / Dot1Q(vlan=0, prio=6) / UDP4),
    (SetVlanPcp(6), ETHER / Dot1Q(vlan=7, prio=1) / UDP4, ETHER / Dot1Q(vlan=7, prio=6) / UDP4),
    (SetVlanVid(3), ETHER / Dot1AD(vlan=1) / Dot1Q(vlan=2) / UDP4,
     ETHER / Dot1AD(vlan=3) / Dot1Q(vlan=2) / UDP4),
    (StripVlan(), ETHER / Dot1Q(vlan=7) / UDP4, ETHER / UDP4),
    (StripVlan(), ETHER / Dot1AD(vlan=1) / Dot1Q(vlan=2) / UDP4, ETHER / Dot1Q(vlan=2) / UDP4),
    (StripVlan(), ETHER / UDP4, ETHER / UDP4),
])  # fmt: skip
def test_tags_are_made_changed_and_taken(
    driver: Any, action: Action, before: Packet, after: Packet
) -> None:
    assert changed(driver, before, action) == bytes(after)


def test_a_tag_that_one_action_made_is_there_for_the_next(driver: Any) -> None:
    tagged = ETHER / Dot1Q(vlan=9, prio=4) / UDP4
    assert changed(driver, ETHER / UDP4, SetVlanPcp(4), SetVlanVid(9)) == bytes(tagged)
    assert changed(driver, ETHER / UDP4, SetVlanVid(9), StripVlan()) == bytes(ETHER / UDP4)


def test_packets_of_one_entry_get_what_each_of_them_needs(driver: Any) -> None:
    driver.apply(SetVlanVid(9), Output(2))
    tagged = bytes(ETHER / Dot1Q(vlan=9) / UDP4)
    assert driver.send(bytes(ETHER / UDP4)) == [(2, tagged)]
    assert driver.send(bytes(ETHER / Dot1Q(vlan=5) / UDP4)) == [(2, tagged)]


# fields of IP and transport


@pytest.mark.parametrize(("what", "value", "before", "after"), [
    (Settable.NW_SRC, ADDRESS, UDP4, IP(**{**V4, "src": "10.99.99.99"}) / UDP(**PORTS) / BODY),
    (Settable.NW_DST, ADDRESS, IP(**V4) / TCP(**PORTS) / BODY,
     IP(**{**V4, "dst": "10.99.99.99"}) / TCP(**PORTS) / BODY),
    (Settable.NW_TOS, 9, UDP4, IP(**{**V4, "tos": 9 << 2 | 1}) / UDP(**PORTS) / BODY),
    (Settable.NW_TOS, 9, IPv6(**V6) / UDP(**PORTS),
     IPv6(**{**V6, "tc": 9 << 2 | 1}) / UDP(**PORTS)),
    *(
        (what, 777, ip / transport(**PORTS) / rest, ip / transport(**{**PORTS, name: 777}) / rest)
        for what, name in ((Settable.TP_SRC, "sport"), (Settable.TP_DST, "dport"))
        for ip in (IP(**V4), IPv6(**V6))
        for transport, rest in ((TCP, BODY), (UDP, BODY), (SCTP, SCTPChunkData(data=b"abcd")))
    ),
])  # fmt: skip
def test_fields_are_set_where_they_are(
    driver: Any, what: Settable, value: int, before: Packet, after: Packet
) -> None:
    assert changed(driver, ETHER / before, SetIfPresent(what, value)) == bytes(ETHER / after)
    tagged = ETHER / Dot1Q(vlan=5)
    assert changed(driver, tagged / before, SetIfPresent(what, value)) == bytes(tagged / after)


@pytest.mark.parametrize(("what", "packet"), [
    (Settable.NW_SRC, ARP(psrc="10.0.0.1")),
    (Settable.NW_DST, IPv6(**V6) / UDP(**PORTS)),
    (Settable.NW_TOS, ARP()),
    (Settable.TP_SRC, IP(**V4) / ICMP()),
    (Settable.TP_DST, IP(**V4, frag=5, proto=17) / BODY),
    (Settable.TP_DST, IP(**V4, proto=89) / BODY),
])  # fmt: skip
def test_packets_without_the_field_stay_as_they_are(
    driver: Any, what: Settable, packet: Packet
) -> None:
    assert changed(driver, ETHER / packet, SetIfPresent(what, 1)) == bytes(ETHER / packet)


def test_a_frame_that_is_cut_short_stays_as_it_is(driver: Any) -> None:
    stub = Raw(b"\x02\0\0")
    actions = [SetVlanVid(1), SetVlanPcp(1), StripVlan(), SetIfPresent(Settable.TP_DST, 1)]
    assert changed(driver, stub, *actions) == bytes(stub)
