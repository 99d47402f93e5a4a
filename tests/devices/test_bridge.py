"""The learning bridge of IEEE 802.1Q."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import BROADCAST, Mac
from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.fdb import AGEING_NS, FDB_LIMIT, SWEEP_INTERVAL_NS, format_fdb
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.vlan import Access, Trunk
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.wire.dot1q import VlanTag, push_tag
from sdnvirt.wire.ethernet import Ethernet, EtherType


def frame(dst: bytes, src: bytes, *tags: VlanTag) -> bytes:
    data = Ethernet(Mac(dst), Mac(src), EtherType.IPV4, b"payload").emit()
    for tag in reversed(tags):
        data = push_tag(data, tag)
    return data


@pytest.fixture
def bridge(world):
    return Bridge("b1", world)


@pytest.fixture
def lan(bridge, station):
    """Stations h1 to h4 at ports 1 to 4 of a bridge, all in VLAN 1."""
    return [station(bridge) for _ in range(4)]


def drops(world: World) -> dict[DropReason, int]:
    return world.ledger.by_reason()


# -- learning, forwarding, flooding, filtering


def test_an_unknown_destination_is_flooded_and_an_answer_is_not(lan):
    h1, h2, h3, _ = lan
    question = frame(h2.mac, h1.mac)
    h1.send(question)
    assert h2.received == h3.received == [question]
    assert h1.received == []
    h2.send(frame(h1.mac, h2.mac))
    assert len(h1.received) == 1
    assert h3.received == [question]


def test_a_broadcast_is_always_flooded(lan):
    h1, h2, h3, h4 = lan
    h1.send(frame(BROADCAST, h1.mac))
    h1.send(frame(BROADCAST, h1.mac))
    assert [len(h.received) for h in (h2, h3, h4)] == [2, 2, 2]


def test_every_output_is_in_the_ledger(world, lan):
    lan[0].send(frame(BROADCAST, lan[0].mac))
    ledger = world.ledger
    assert (ledger.sent, ledger.copied, ledger.delivered) == (1, 2, 3)
    assert ledger.imbalance() == 0


def test_a_frame_whose_tag_need_not_change_is_passed_on_itself(lan):
    sent = lan[0].send(frame(BROADCAST, lan[0].mac))
    assert all(h.frames[0] is sent for h in lan[1:])


def test_a_frame_to_a_station_on_its_own_side_is_filtered(world, lan):
    h1 = lan[0]
    h1.send(frame(BROADCAST, Mac("02:00:00:00:00:99")))  # another station behind port 1
    h1.send(frame(Mac("02:00:00:00:00:99"), h1.mac))
    assert drops(world) == {DropReason.SAME_PORT: 1}


def test_a_bridge_with_one_port_has_nowhere_to_flood(world, bridge, station):
    h1 = station(bridge)
    h1.send(frame(BROADCAST, h1.mac))
    assert drops(world) == {DropReason.NO_EGRESS: 1}


def test_a_group_address_as_source_is_never_learned(bridge, lan):
    group = Mac("01:00:5e:00:00:01")
    lan[0].send(frame(lan[1].mac, group))
    assert bridge.fdb() == []
    assert len(lan[1].received) == 1


def test_a_station_that_moves_is_found_at_its_new_port(lan):
    h1, h2, h3, h4 = lan
    wanderer = Mac("02:00:00:00:00:77")
    h1.send(frame(BROADCAST, wanderer))
    h2.send(frame(BROADCAST, wanderer))
    before = len(h1.received)
    h3.send(frame(wanderer, h3.mac))
    assert h2.received[-1] == frame(wanderer, h3.mac)
    assert len(h1.received) == before
    assert len(h4.received) == 2  # the two broadcasts


@pytest.mark.parametrize(
    ("waited_ns", "receivers"), [(AGEING_NS - 1, [1, 0, 0]), (AGEING_NS, [1, 1, 1])]
)
def test_an_address_ages_after_300_s_of_silence(world, lan, waited_ns, receivers):
    h1, *others = lan
    others[0].send(frame(h1.mac, others[0].mac))
    h1.frames.clear()
    for other in others:
        other.frames.clear()
    world.scheduler.run_until(waited_ns)
    h1.send(frame(others[0].mac, h1.mac))
    assert [len(other.received) for other in others] == receivers


def test_a_frame_refreshes_the_age(world, lan):
    h1, h2, h3, _ = lan
    h2.send(frame(h1.mac, h2.mac))
    world.scheduler.run_until(AGEING_NS - 1)
    h2.send(frame(h1.mac, h2.mac))
    world.scheduler.run_until(2 * AGEING_NS - 2)
    h3.frames.clear()
    h1.send(frame(h2.mac, h1.mac))
    assert h3.received == []


def test_a_full_database_learns_no_more_but_forwards(world, station):
    bridge = Bridge("b1", world, ageing_ns=100, fdb_limit=2)
    h1, h2 = station(bridge), station(bridge)
    for number in range(3):
        h1.send(frame(BROADCAST, Mac(0x0200_0000_0100 + number)))
    assert [entry.mac for entry in bridge.fdb()] == [Mac(0x0200_0000_0100), Mac(0x0200_0000_0101)]
    assert len(h2.received) == 3


def test_aged_entries_make_room_for_new_ones(world, station):
    bridge = Bridge("b1", world, ageing_ns=100, fdb_limit=2)
    h1, _ = station(bridge), station(bridge)
    for number in range(3):  # the third makes it look for aged entries, in vain
        h1.send(frame(BROADCAST, Mac(0x0200_0000_0100 + number)))
    world.scheduler.run_until(SWEEP_INTERVAL_NS)
    h1.send(frame(BROADCAST, h1.mac))
    assert [entry.mac for entry in bridge.fdb()] == [h1.mac]


def test_the_default_limit_holds_against_random_sources(world, bridge, station):
    h1 = station(bridge)
    for number in range(FDB_LIMIT + 10):
        h1.nic.send(world.originate(frame(BROADCAST, Mac(0x0200_0000_0000 + number)), "h1"))
    world.scheduler.run_until(0)
    assert len(bridge.fdb()) == FDB_LIMIT


def test_addresses_behind_a_port_that_goes_down_are_forgotten(world, bridge, station):
    h1, h2 = station(bridge), station(bridge)
    far = Bridge("b2", world)
    h3 = station(far)
    link = Link(
        world, "b1--b2", bridge.add_port(9, "b2", Mac(9)), far.add_port(9, "b1", Mac(10)),
        LinkParameters(),
    )  # fmt: skip
    h3.send(frame(BROADCAST, h3.mac))
    assert [entry.port for entry in bridge.fdb()] == ["b2"]
    link.set_up(False)
    assert bridge.fdb() == []
    h1.send(frame(h3.mac, h1.mac))
    assert h2.received[-1] == frame(h3.mac, h1.mac)
    assert world.ledger.imbalance() == 0


@pytest.mark.parametrize("last", range(16))
def test_reserved_addresses_are_not_forwarded(world, lan, last):
    lan[0].send(frame(bytes.fromhex("0180c20000") + bytes([last]), lan[0].mac))
    assert drops(world) == {DropReason.RESERVED_ADDRESS: 1}


def test_the_next_group_address_is_forwarded(lan):
    lan[0].send(frame(bytes.fromhex("0180c2000010"), lan[0].mac))
    assert len(lan[1].received) == 1


def test_the_database_reads_like_that_of_open_vswitch(world, bridge, lan):
    lan[0].send(frame(BROADCAST, lan[0].mac))
    world.scheduler.run_until(12_900_000_000)
    lan[1].send(frame(BROADCAST, lan[1].mac))
    assert format_fdb(bridge.fdb()).splitlines() == [
        " port  VLAN  MAC                Age",
        "   h1     1  02:00:00:00:00:01   12",
        "   h2     1  02:00:00:00:00:02    0",
    ]


# -- VLANs


@pytest.fixture
def vlans(bridge, station):
    """Access ports h1, h2 (VLAN 10) and h3 (20), trunks h4 (10, 20) and h5 (all, native 10)."""
    stations = [station(bridge) for _ in range(5)]
    memberships = [
        Access(10), Access(10), Access(20), Trunk(frozenset({10, 20})), Trunk(native=10),
    ]  # fmt: skip
    for number, membership in enumerate(memberships, start=1):
        bridge.configure(number, membership)
    return stations


def test_a_broadcast_stays_in_its_vlan_and_gets_the_form_of_each_port(world, vlans):
    h1, h2, h3, h4, h5 = vlans
    sent = h1.send(frame(BROADCAST, h1.mac))
    assert h2.frames == [sent]
    assert h3.received == []
    assert h4.received == [frame(BROADCAST, h1.mac, VlanTag(10))]
    assert h5.frames == [sent]
    assert world.ledger.imbalance() == 0


def test_trunks_share_one_tagged_copy(bridge, vlans, station):
    h6 = station(bridge)
    bridge.configure(6, Trunk())
    vlans[0].send(frame(BROADCAST, vlans[0].mac))
    assert vlans[3].frames[0] is h6.frames[0]


def test_a_trunk_speaks_for_the_vlan_of_the_tag(vlans):
    h1, _, h3, h4, h5 = vlans
    tagged = frame(BROADCAST, h4.mac, VlanTag(20))
    h4.send(tagged)
    assert h3.received == [frame(BROADCAST, h4.mac)]
    assert h5.received == [tagged]
    assert h1.received == []


def test_one_address_in_two_vlans_is_two_stations(bridge, vlans):
    h1, _, h3, *_ = vlans
    twin = Mac("02:00:00:00:00:55")
    h1.send(frame(BROADCAST, twin))
    h3.send(frame(BROADCAST, twin))
    assert [(e.vlan, e.port) for e in bridge.fdb()] == [(10, "h1"), (20, "h3")]


def test_the_tag_of_the_native_vlan_is_taken_off_on_the_way_out(vlans):
    _, h2, _, h4, h5 = vlans
    h4.send(frame(BROADCAST, h4.mac, VlanTag(10, pcp=5)))
    assert h2.received == h5.received == [frame(BROADCAST, h4.mac)]


@pytest.mark.parametrize(
    ("number", "tags", "reason"),
    [
        (1, [VlanTag(10)], DropReason.TAG_NOT_ALLOWED),
        (1, [VlanTag(20)], DropReason.TAG_NOT_ALLOWED),
        (4, [], DropReason.UNTAGGED_NOT_ALLOWED),
        (4, [VlanTag(0)], DropReason.UNTAGGED_NOT_ALLOWED),
        (4, [VlanTag(30)], DropReason.VLAN_NOT_ALLOWED),
        (5, [VlanTag(4095)], DropReason.VLAN_NOT_ALLOWED),
    ],
)
def test_ingress_filtering(world, vlans, number, tags, reason):
    vlans[number - 1].send(frame(BROADCAST, vlans[number - 1].mac, *tags))
    assert drops(world) == {reason: 1}


def test_a_priority_tag_is_no_vlan_but_its_priority_stays(vlans):
    h1, h2, _, h4, h5 = vlans
    h1.send(frame(BROADCAST, h1.mac, VlanTag(0, pcp=6, dei=True)))
    assert h4.received == [frame(BROADCAST, h1.mac, VlanTag(10, pcp=6, dei=True))]
    assert h2.received == h5.received == [frame(BROADCAST, h1.mac)]


def test_a_service_tag_is_only_another_ethertype(vlans):
    h1, h2, _, h4, _ = vlans
    inner = frame(BROADCAST, h1.mac, VlanTag(7, tpid=EtherType.QINQ))
    h1.send(inner)
    assert h2.received == [inner]
    assert h4.received == [push_tag(inner, VlanTag(10))]


def test_unicast_is_retagged_like_floods(vlans):
    h1, _, _, h4, _ = vlans
    h4.send(frame(BROADCAST, h4.mac, VlanTag(10)))
    h1.send(frame(h4.mac, h1.mac))
    assert h4.received == [frame(h4.mac, h1.mac, VlanTag(10))]
    h4.send(frame(h1.mac, h4.mac, VlanTag(10)))
    assert h1.received[-1] == frame(h1.mac, h4.mac)


def test_a_port_that_changes_its_vlan_is_learned_anew(bridge, vlans):
    h1 = vlans[0]
    h1.send(frame(BROADCAST, h1.mac))
    bridge.configure(1, Access(20))
    assert bridge.membership(1) == Access(20)
    assert bridge.fdb() == []
    vlans[2].send(frame(BROADCAST, vlans[2].mac))
    assert len(h1.received) == 1


def test_memberships_are_told_as_people_write_them():
    assert str(Access(7)) == "access port of VLAN 7"
    assert str(Trunk(frozenset({1, 10, 11, 12, 20}), native=1)) == (
        "trunk of VLANs 1,10-12,20, native 1"
    )
    assert str(Trunk()) == "trunk of all VLANs"
    assert str(Trunk(frozenset())) == "trunk of VLANs none"


def test_a_native_vlan_must_be_allowed():
    with pytest.raises(AssertionError, match="native VLAN 5"):
        Trunk(frozenset({10}), native=5)


# -- explanations


def explain(bridge: Bridge, number: int, data: bytes) -> list[str]:
    return bridge.explain(bridge.ports[number], Frame(data))


def test_explain_tells_the_flood_and_every_port_left_out(bridge, vlans):
    assert explain(bridge, 1, frame(BROADCAST, vlans[0].mac)) == [
        "b1:h1 (access port of VLAN 10) puts the frame in VLAN 10",
        "b1 floods VLAN 10: ff:ff:ff:ff:ff:ff is a group address",
        "b1:h2 sends it untagged",
        "b1:h3 is left out: access port of VLAN 20, the frame is in VLAN 10",
        "b1:h4 sends it tagged 10",
        "b1:h5 sends it untagged",
    ]


def test_explain_tells_what_was_learned_and_where_a_link_is_down(bridge, vlans):
    h1, h2, _, h4, _ = vlans
    h4.send(frame(BROADCAST, h4.mac, VlanTag(10)))
    assert explain(bridge, 1, frame(h4.mac, h1.mac))[1:] == [
        f"b1 has learned {h4.mac} in VLAN 10 at h4",
        "b1:h4 sends it tagged 10",
    ]
    bridge.ports[2].up = False
    told = explain(bridge, 1, frame(h2.mac, h1.mac))
    assert f"b1 floods VLAN 10: {h2.mac} is not known in VLAN 10" in told
    assert "b1:h2 is left out: its link is down" in told


def test_explain_changes_nothing(world, bridge, lan):
    explain(bridge, 1, frame(BROADCAST, lan[0].mac))
    assert bridge.fdb() == []
    assert lan[1].received == []
    assert (world.ledger.sent, world.ledger.dropped) == (0, 0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"short", DropReason.MALFORMED),
        (bytes.fromhex("0180c200000e") + bytes(8), DropReason.RESERVED_ADDRESS),
    ],
)
def test_explain_names_the_reason_of_a_drop(bridge, lan, data, reason):
    assert explain(bridge, 1, data) == [
        f"b1:h1 (access port of VLAN 1) drops the frame: {reason.value}"
    ]


# -- hostile input


@given(
    st.one_of(
        st.binary(max_size=64),
        st.builds(
            lambda data, cut: data[:cut],
            st.builds(
                frame,
                st.binary(min_size=6, max_size=6),
                st.binary(min_size=6, max_size=6),
                st.builds(VlanTag, st.integers(0, 4095), st.integers(0, 7)),
            ),
            st.integers(0, 30),
        ),
    ),
    st.integers(1, 3),
)
def test_no_bytes_upset_the_bridge_or_the_ledger(data, number):
    world = World()
    bridge = Bridge("b1", world)
    other = Bridge("b2", world)
    for i, membership in enumerate((Access(10), Trunk(), Trunk(frozenset({10}), 10)), start=1):
        Link(
            world, f"l{i}", bridge.add_port(i, f"p{i}", Mac(i)), other.add_port(i, f"p{i}", Mac(i)),
            LinkParameters(),
        )  # fmt: skip
        bridge.configure(i, membership)
        other.configure(i, Access(i))  # three VLANs of one port each: every frame ends here
    story = bridge.explain(bridge.ports[number], Frame(data))
    bridge.ports[number].receive(world.originate(data, "nobody"))
    world.scheduler.run_until(0)
    ledger = world.ledger
    assert ledger.imbalance() == 0
    assert ledger.in_flight() == 0
    outputs = [line for line in story if "sends it" in line]
    assert ledger.copied == max(0, len(outputs) - 1)
    assert any("drops" in line for line in story) == (not outputs)
