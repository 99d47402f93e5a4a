"""The learn action: packets make flow entries."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from sdnvirt.frame import Frame
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira import actions as nx
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.constants import IN_PORT, NXLEARN
from sdnvirt.openflow.nicira.learn import Learn, Purpose, Spec
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPFF, OFPP
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.units import NS_PER_S

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
REG0 = nxm.REGS[0]


def whole(field: oxm.OxmField) -> Subfield:
    return Subfield(field, 0, field.bits)


def match(src: Subfield | int, field: oxm.OxmField) -> Spec:
    return Spec(Purpose.MATCH, src, whole(field), field.bits)


def learning(*specs: Spec, table_id: int = 1, **more: int) -> Learn:
    fields = {"idle_timeout": 0, "hard_timeout": 0, "priority": 10, "cookie": 0, "flags": 0}
    return Learn(
        **{**fields, **more}, table_id=table_id, fin_idle_timeout=0, fin_hard_timeout=0, specs=specs
    )


ADDRESS = match(whole(oxm.ETH_SRC), oxm.ETH_DST)
PORT = Subfield(oxm.IN_PORT, 0, 16)
BRIDGE = (ADDRESS, Spec(Purpose.OUTPUT, PORT, None, 16))


def frame(src: str, dst: str) -> bytes:
    return bytes(Ether(src=src, dst=dst) / IP())


def where(driver: Any, src: str, dst: str, port: int) -> list[Any]:
    return [port for port, _ in driver.send(frame(src, dst), port)]


@pytest.fixture
def bridge(driver: Any) -> Any:
    """A learning switch without a controller: the example of Open vSwitch's manual."""
    action = learning(*BRIDGE, hard_timeout=60, cookie=7, flags=NXLEARN.SEND_FLOW_REM)
    driver.apply(action, nx.ResubmitTable(IN_PORT, 1))
    driver.to(OFPP.FLOOD, table_id=1, priority=0)
    return driver


def test_a_learning_switch_out_of_two_entries(bridge: Any) -> None:
    assert where(bridge, A, B, 1) == [2, 3, 4]
    assert where(bridge, B, A, 2) == [1]
    assert where(bridge, A, B, 1) == [2]


def test_a_station_that_moves_is_learned_anew(bridge: Any) -> None:
    where(bridge, A, B, 1)
    assert where(bridge, A, B, 3) == [1, 2, 4]
    assert where(bridge, B, A, 2) == [3]


def test_what_was_learned_is_an_entry_like_others(bridge: Any) -> None:
    where(bridge, A, B, 1)
    (learned,) = [entry for entry in bridge.datapath.tables[1] if entry.priority == 10]
    assert learned.match == Match.of(eth_dst=0x02000000000A)
    assert (learned.cookie, learned.flags) == (7, OFPFF.SEND_FLOW_REM)
    assert str(learned).endswith("eth_dst=02:00:00:00:00:0a output:1")


def test_a_learned_entry_is_not_made_twice_but_refreshed(bridge: Any) -> None:
    told = []
    bridge.datapath.on_learned = lambda: told.append(bridge.now)
    where(bridge, A, B, 1)
    bridge.now = 59 * NS_PER_S
    where(bridge, A, B, 1)
    assert told == [0], "the switch is told once that an entry may expire"
    assert bridge.datapath.expire(60 * NS_PER_S) == []
    (gone,) = bridge.datapath.expire(119 * NS_PER_S)
    assert gone.entry.match == Match.of(eth_dst=0x02000000000A)
    bridge.now = 119 * NS_PER_S
    assert where(bridge, B, A, 2) == [1, 3, 4], "flooded again"


def test_the_local_port_is_learned_in_full(driver: Any) -> None:
    """Fields of Nicira's have 16 bits for a port, of which OpenFlow 1.3 has 32."""
    driver.datapath.set_port(OFPP.LOCAL, True)
    arrival = Spec(Purpose.MATCH, PORT, PORT, 16)
    driver.apply(learning(*BRIDGE, arrival), match=Match.of(in_port=OFPP.LOCAL))
    where(driver, A, B, OFPP.LOCAL)
    (learned,) = driver.datapath.tables[1]
    assert learned.match == Match.of(eth_dst=0x02000000000A, in_port=OFPP.LOCAL)
    assert learned.instructions == (ApplyActions((Output(OFPP.LOCAL),)),)


def test_an_idle_entry_goes(driver: Any) -> None:
    driver.apply(learning(*BRIDGE, idle_timeout=5))
    driver.send(frame(A, B), 1)
    assert len(driver.datapath.tables[1]) == 1
    assert driver.datapath.next_expiry() == 5 * NS_PER_S
    driver.datapath.expire(5 * NS_PER_S)
    assert len(driver.datapath.tables[1]) == 0


def test_explaining_learns_nothing(bridge: Any) -> None:
    text = bridge.datapath.explain(1, Frame(frame(A, B)))
    assert any("learns: table=1, eth_dst=02:00:00:00:00:0a" in line for line in text)
    assert len(bridge.datapath.tables[1]) == 1


def test_numbers_parts_of_fields_and_loads(driver: Any) -> None:
    tcp = match(0x0800, oxm.ETH_TYPE), match(6, oxm.IP_PROTO)
    reverse = match(whole(oxm.TCP_SRC), oxm.TCP_DST)
    part = Spec(Purpose.MATCH, Subfield(oxm.IPV4_SRC, 8, 24), Subfield(oxm.IPV4_DST, 8, 24), 24)
    load = Spec(Purpose.LOAD, PORT, Subfield(REG0, 0, 16), 16)
    wide = Spec(Purpose.LOAD, 5, whole(nxm.REGS[1]), 32)
    driver.apply(
        learning(*tcp, reverse, part, load, wide), match=Match.of(eth_type=0x0800, ip_proto=6)
    )
    driver.send(bytes(Ether() / IP(src="10.1.2.3") / TCP(sport=999)), 3)
    (learned,) = driver.datapath.tables[1]
    assert learned.match == Match.of(
        eth_type=0x0800, ip_proto=6, tcp_dst=999, ipv4_dst=(0x0A010200, 0xFFFFFF00)
    )
    text = str(learned)
    assert "load:0x3->NXM_NX_REG0[0..15]" in text
    assert "load:0x5->NXM_NX_REG1[]" in text


def test_a_packet_without_the_field_teaches_nothing(driver: Any) -> None:
    driver.apply(learning(match(whole(oxm.VLAN_PCP), oxm.VLAN_PCP), _TAGGED), Output(2))
    assert where(driver, A, B, 1) == [2]
    assert 1 not in driver.datapath.tables


_TAGGED = match(whole(oxm.VLAN_VID), oxm.VLAN_VID)


@pytest.mark.parametrize(
    ("action", "wrong"),
    [
        (learning(table_id=255), "BAD_ACTION/BAD_ARGUMENT"),
        (learning(flags=NXLEARN.DELETE_LEARNED), "BAD_ACTION/BAD_ARGUMENT"),
        (learning(match(80, oxm.TCP_DST)), "BAD_MATCH/BAD_PREREQ"),
        (learning(Spec(Purpose.MATCH, 1, Subfield(oxm.ETH_TYPE, 0, 4), 4)), "BAD_MATCH/BAD_MASK"),
        (learning(Spec(Purpose.LOAD, 1, PORT, 16)), "BAD_ACTION/BAD_SET_ARGUMENT"),
    ],
    ids=str,
)
def test_entries_that_cannot_be_are_refused(driver: Any, action: Learn, wrong: str) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.apply(action)
    assert error_name(caught.value.error_type, caught.value.code) == wrong
