"""Links: rate, delay, queue, MTU, and what happens when one is pulled out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import Mac
from sdnvirt.devices.device import Device
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import TUNNEL_DST_SHIFT


class End(Device):
    """One port; notes when which frame arrived, and when its link changed."""

    def __init__(self, name, world):
        super().__init__(name, world)
        self.port = self.add_port(1, "eth0", Mac(1))
        self.arrivals = []
        self.changes = []

    def receive(self, port, frame):
        self.world.ledger.delivered += 1
        self.arrivals.append((self.world.scheduler.now, frame))

    def port_changed(self, port):
        self.changes.append(port.up)

    @property
    def times(self):
        return [time for time, _ in self.arrivals]


class Cable:
    """Two ends and a link."""

    def __init__(self, **parameters):
        self.world = World()
        self.scheduler = self.world.scheduler
        self.a, self.b = End("a", self.world), End("b", self.world)
        self.link = Link(self.world, "a--b", self.a.port, self.b.port, LinkParameters(**parameters))

    def send(self, *sizes, end=None):
        for size in sizes:
            (end or self.a).port.send(self.world.originate(bytes(size), "a"))

    def run(self, until=10**12):
        self.scheduler.run_until(until)
        assert self.world.ledger.imbalance() == 0

    @property
    def reasons(self):
        return self.world.ledger.by_reason()


TEN_GIGABIT = 10**10


# -- time


def test_without_rate_and_delay_a_frame_arrives_in_the_same_instant():
    cable = Cable()
    cable.send(64, 1500)
    assert cable.b.times == []
    cable.run(0)
    assert cable.b.times == [0, 0]


def test_propagation_comes_after_transmission():
    cable = Cable(rate_bps=10**9, delay_ns=5_000)
    cable.send(125)  # 1,000 bits take 1 us
    cable.run()
    assert cable.b.times == [6_000]


def test_a_64_byte_frame_at_10_gbit_takes_51_2_ns_and_no_rounding_adds_up():
    cable = Cable(rate_bps=TEN_GIGABIT)
    cable.send(*[64] * 10)
    cable.run()
    assert cable.b.times == [51, 102, 153, 204, 256, 307, 358, 409, 460, 512]


def test_a_transmitter_that_was_idle_starts_at_once():
    cable = Cable(rate_bps=TEN_GIGABIT)
    cable.send(64)
    cable.run(1_000)
    cable.send(64)
    cable.run()
    assert cable.b.times == [51, 1_051]


def test_both_directions_have_the_whole_rate():
    cable = Cable(rate_bps=TEN_GIGABIT)
    cable.send(1250)
    cable.send(1250, end=cable.b)
    cable.run()
    assert cable.a.times == cable.b.times == [1_000]


@given(
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(14, 1514)), max_size=30),
    st.sampled_from([None, 10**9, TEN_GIGABIT, 100 * 10**9]),
    st.integers(0, 2_000),
)
def test_frames_neither_overtake_nor_go_faster_than_the_rate(sends, rate_bps, delay_ns):
    cable = Cable(rate_bps=rate_bps, delay_ns=delay_ns, queue_bytes=10**6)
    for time, size in sorted(sends):
        cable.scheduler.call_at(time, lambda size: cable.send(size), size)
    cable.run()
    assert [len(f.data) for _, f in cable.b.arrivals] == [size for _, size in sorted(sends)]
    assert cable.b.times == sorted(cable.b.times)
    free_ps = 0  # the textbook's queue, kept apart from the implementation
    for (time, size), arrival in zip(sorted(sends), cable.b.times, strict=True):
        transmission_ps = 0 if rate_bps is None else size * 8 * 10**12 // rate_bps
        free_ps = max(free_ps, time * 1000) + transmission_ps
        assert arrival == free_ps // 1000 + delay_ns


# -- the queue


def test_what_does_not_fit_the_queue_is_lost_at_its_tail():
    cable = Cable(rate_bps=10**9, queue_bytes=3_000)
    cable.send(1_000, 1_000, 1_000, 1, 1_000)
    cable.run()
    assert cable.b.times == [8_000, 16_000, 24_000]
    assert cable.reasons == {DropReason.QUEUE_FULL: 2}
    drop = cable.world.ledger.recent[0]
    assert (drop.place, drop.detail) == ("a--b", "3000 B")


def test_a_queue_drains_at_the_rate_of_the_link():
    cable = Cable(rate_bps=10**9, queue_bytes=2_000)
    cable.send(1_000, 1_000)
    cable.run(8_000)
    cable.send(1_000, 1_000)
    cable.run()
    assert len(cable.b.arrivals) == 3
    assert cable.reasons == {DropReason.QUEUE_FULL: 1}


def test_an_unlimited_rate_has_no_queue_to_fill():
    cable = Cable(queue_bytes=1)
    cable.send(*[1_000] * 50)
    cable.run()
    assert len(cable.b.arrivals) == 50


# -- the MTU


def frame_of(tags: bytes, payload: int) -> bytes:
    return bytes(12) + tags + b"\x08\x00" + bytes(payload)


@pytest.mark.parametrize(
    "tags",
    [b"", b"\x81\x00\0\x0a", b"\x88\xa8\0\x14\x81\x00\0\x0a"],
    ids=["untagged", "one tag", "two tags"],
)
def test_the_mtu_counts_neither_ethernet_header_nor_vlan_tags(tags):
    cable = Cable(mtu=1500)
    cable.a.port.send(cable.world.originate(frame_of(tags, 1500), "a"))
    cable.a.port.send(cable.world.originate(frame_of(tags, 1501), "a"))
    cable.run()
    assert [len(frame.data) for _, frame in cable.b.arrivals] == [1514 + len(tags)]
    (drop,) = cable.world.ledger.recent
    assert (drop.reason, drop.detail) == (DropReason.LINK_MTU, "1501 > MTU 1500")


def test_a_frame_of_nothing_but_tags_is_measured_too():
    cable = Cable(mtu=1)
    cable.a.port.send(cable.world.originate(bytes(12) + b"\x81\x00\0\0" * 50, "a"))
    cable.run()
    assert len(cable.b.arrivals) == 1


# -- up and down


def test_a_new_link_is_up_and_both_devices_are_told():
    cable = Cable()
    assert cable.link.up
    assert cable.a.changes == cable.b.changes == [True]
    cable.link.set_up(True)
    assert cable.a.changes == [True]


def test_frames_on_a_link_that_is_cut_are_lost_and_new_ones_are_refused():
    cable = Cable(delay_ns=1_000)
    cable.send(64, 64)
    cable.send(64, end=cable.b)
    cable.run(500)
    cable.link.set_up(False)
    assert (cable.a.port.up, cable.b.port.up) == (False, False)
    assert cable.a.changes == [True, False]
    cable.send(64)
    cable.run()
    assert cable.a.arrivals == cable.b.arrivals == []
    assert cable.reasons == {DropReason.CUT_IN_FLIGHT: 3, DropReason.LINK_DOWN: 1}


def test_a_link_that_comes_back_starts_with_an_empty_queue_and_loses_only_what_was_on_it():
    cable = Cable(rate_bps=10**9, delay_ns=100_000, queue_bytes=10_000)
    cable.send(1_000, 1_000, 1_000)
    cable.run(10_000)
    cable.link.set_up(False)
    cable.run(20_000)
    cable.link.set_up(True)
    cable.send(1_000)
    cable.run()
    assert cable.b.times == [128_000]
    assert cable.reasons == {DropReason.CUT_IN_FLIGHT: 3}


def test_cutting_one_link_leaves_the_others_alone():
    cable = Cable(delay_ns=1_000)
    c, d = End("c", cable.world), End("d", cable.world)
    Link(cable.world, "c--d", c.port, d.port, LinkParameters(delay_ns=1_000))
    cable.send(64)
    cable.send(64, end=c)
    cable.link.set_up(False)
    cable.run()
    assert d.times == [1_000]
    assert cable.b.times == []


def test_a_port_without_a_link_names_itself_as_the_place():
    world = World()
    lonely = End("h9", world)
    lonely.port.send(world.originate(b"", "h9"))
    (drop,) = world.ledger.recent
    assert str(drop) == "h9:eth0: the port has no link"


@pytest.mark.parametrize("tunnel", [5001, 0x0A000001 << TUNNEL_DST_SHIFT])
def test_a_cable_carries_no_tunnel_metadata(tunnel):
    """It is between a switch and its tunnels; the next switch must not see it."""
    cable = Cable()
    frame = cable.world.originate(bytes(60), "a").rewritten(bytes(60), tunnel)
    frame.key = b"made with the tunnel id"
    cable.a.port.send(frame)
    cable.run()
    ((_, arrived),) = cable.b.arrivals
    assert (arrived.data, arrived.tunnel, arrived.key) == (frame.data, 0, None)
    assert arrived.provenance is frame.provenance


# -- ports


def test_ports_count_and_taps_see_what_passes():
    cable = Cable()
    seen = []

    class Tap:
        def received(self, port, frame):
            seen.append(("received", port.full_name, frame.data))

        def sent(self, port, frame):
            seen.append(("sent", port.full_name, frame.data))

    cable.a.port.taps = cable.b.port.taps = (Tap(),)
    cable.send(10, 20)
    cable.run()
    assert seen == [
        ("sent", "a:eth0", bytes(10)), ("sent", "a:eth0", bytes(20)),
        ("received", "b:eth0", bytes(10)), ("received", "b:eth0", bytes(20)),
    ]  # fmt: skip
    a, b = cable.a.port, cable.b.port
    assert (a.tx_packets, a.tx_bytes, a.rx_packets, a.rx_bytes) == (2, 30, 0, 0)
    assert (b.tx_packets, b.tx_bytes, b.rx_packets, b.rx_bytes) == (0, 0, 2, 30)


def test_a_device_numbers_its_ports_once():
    cable = Cable()
    with pytest.raises(AssertionError, match="a has a port 1 already"):
        cable.a.add_port(1, "eth1", Mac(2))
