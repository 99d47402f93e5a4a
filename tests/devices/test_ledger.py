"""The conservation ledger: no frame gets lost without a reason."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import BROADCAST, Mac
from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.device import Device
from sdnvirt.devices.disciplines import CoDel, Red, StrictPriority, TokenBucket
from sdnvirt.devices.jitter import UniformJitter
from sdnvirt.devices.ledger import RECENT_DROPS
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.loss import GilbertElliott
from sdnvirt.devices.rules import Corrupt, Delay, Duplicate
from sdnvirt.devices.vlan import Access, Trunk
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame


def test_every_frame_gets_a_number_and_counts_as_sent(world):
    first = world.originate(b"", "h1", "acme", "acme/web", cause=7)
    second = world.originate(b"", "h2")
    assert (first.provenance.packet_id, second.provenance.packet_id) == (1, 2)
    provenance = first.provenance
    assert (provenance.origin, provenance.tenant, provenance.network, provenance.cause) == (
        "h1", "acme", "acme/web", 7,
    )  # fmt: skip
    assert world.ledger.sent == 2
    assert world.ledger.imbalance() == 2


def test_a_drop_is_entered_with_time_place_reason_and_figures(world):
    world.scheduler.run_until(1_234)
    frame = world.originate(b"abc", "h1")
    world.ledger.drop(frame, DropReason.LINK_MTU, "h1--s1", "1600 > MTU 1500")
    (drop,) = world.ledger.recent
    assert (drop.time_ns, drop.frame) == (1_234, frame)
    assert str(drop) == ("h1--s1: the frame is larger than the link's MTU allows (1600 > MTU 1500)")
    assert world.ledger.imbalance() == 0


def test_drops_are_summed_by_reason_in_the_order_of_the_table(world):
    frame = Frame(b"")
    for reason, place in [
        (DropReason.TTL_EXPIRED, "r1"),
        (DropReason.NO_LINK, "s1"),
        (DropReason.TTL_EXPIRED, "r2"),
    ]:
        world.ledger.drop(frame, reason, place)
    assert list(world.ledger.by_reason().items()) == [
        (DropReason.NO_LINK, 1),
        (DropReason.TTL_EXPIRED, 2),
    ]
    assert world.ledger.drops["r2", DropReason.TTL_EXPIRED] == 1
    assert world.ledger.dropped == 3


def test_only_the_latest_drops_are_kept_and_all_are_counted(world):
    for _ in range(RECENT_DROPS + 1):
        world.ledger.drop(world.originate(b"", "h1"), DropReason.NO_LINK, "h1")
    assert world.ledger.dropped == RECENT_DROPS + 1
    assert len(world.ledger.recent) == RECENT_DROPS
    assert world.ledger.recent[0].frame.provenance.packet_id == 2


def test_frames_on_their_way_are_counted_where_they_wait(world):
    frame = world.originate(b"", "h1")
    world.scheduler.call_at(5, lambda _: None, frame)
    world.scheduler.call_at(5, lambda _: None, "no frame")
    assert world.ledger.in_flight() == 1
    assert world.ledger.imbalance() == 0


# -- conservation, whatever the network and its faults


class Sink(Device):
    """The end of the way."""

    def receive(self, port, frame):
        self.world.ledger.delivered += 1


VERDICTS = {"double": Duplicate(2), "slow": Delay(4_000), "noise": Corrupt(b"\xff" * 9)}
QUALITIES = {
    "lose": {"loss": 0.5},
    "lose in bursts": {"loss": GilbertElliott(0.5, 0.5)},
    "impair": {
        "corrupt": 0.3,
        "duplicate": 0.3,
        "reorder": 0.3,
        "jitter": UniformJitter(False, 900),
    },
    "early": {"discipline": Red(min_bytes=1, max_bytes=3), "queue_bytes": 150},
    "delayed": {"discipline": CoDel(target_ns=1, interval_ns=2)},
    "shape": {"discipline": TokenBucket(10**7, 100)},
    "rank": {"discipline": StrictPriority(), "queue_bytes": 150},
    "tail": {"discipline": None},
}
EVENTS = st.tuples(
    st.integers(0, 20_000),
    st.sampled_from(["send"] * 6 + ["cut", "restore", *VERDICTS, *QUALITIES]),
    st.integers(0, 11),
)
MEMBERSHIPS = st.sampled_from(
    [Access(1), Access(1), Access(20), Trunk(), Trunk(native=1), Trunk(frozenset({20}))]
)


class Network:
    """A tree of bridges, each with a station, on links of all kinds; trees have no loops."""

    def __init__(self, parents, memberships):
        self.world = World(seed=3)
        self.links = []
        self.stations = []
        bridges = []
        for number, parent in enumerate(parents):
            bridge = Bridge(f"b{number}", self.world, fdb_limit=3)
            station = Sink(f"h{number}", self.world)
            station.add_port(1, "eth0", Mac(number))
            self.join(station, bridge)
            if bridges:
                self.join(bridge, bridges[parent % len(bridges)])
            bridges.append(bridge)
            self.stations.append(station)
        ports = [(bridge, number) for bridge in bridges for number in bridge.ports]
        for (bridge, number), membership in zip(ports, memberships, strict=False):
            bridge.configure(number, membership)

    def join(self, one, other):
        ends = []
        for device in (one, other):
            number = len(device.ports) + 1
            if isinstance(device, Sink):
                ends.append(device.ports[1])
            else:
                ends.append(device.add_port(number, f"p{number}", Mac(number)))
        parameters = LinkParameters(
            rate_bps=[None, 10**8, 10**9][len(self.links) % 3],
            delay_ns=[0, 700, 3_000][len(self.links) % 3],
            queue_bytes=150,
            mtu=100,
        )
        name = f"{one.name}--{other.name}"
        self.links.append(Link(self.world, name, *ends, parameters))

    def happen(self, event):
        _, what, which = event
        link = self.links[which % len(self.links)]
        end = link.ends[which % 2]
        if what == "send":
            self.send(which)
        elif what in ("cut", "restore"):
            link.set_up(what == "restore")
        elif what in QUALITIES:
            link.change(end, replace(link.parameters_from(end), **QUALITIES[what]))
        else:
            stream = self.world.streams.stream(f"{link.name} {what}")
            link.add_rule(end, Sometimes(what, stream))

    def send(self, which):
        station = self.stations[which % len(self.stations)]
        dst = BROADCAST if which % 3 == 0 else Mac(0x0200_0000_0000 + which * 5 % 7)
        tag = [b"", b"\x81\x00\x00\x14", b"\x81\x00\x20\x00"][which % 4 % 3]
        size = 120 if which == 5 else 40
        data = dst + Mac(0x0200_0000_0000 + which % 7) + tag + b"\x88\xb5" + bytes(size)
        station.ports[1].send(self.world.originate(data, station.name))


class Sometimes:
    """Doubles, slows down or changes every other frame."""

    def __init__(self, what, stream):
        self.verdict = VERDICTS[what]
        self.stream = stream

    def judge(self, frame, now):
        return self.verdict if self.stream.random() < 0.5 else Duplicate(0)


@given(
    parents=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    memberships=st.lists(MEMBERSHIPS, max_size=12),
    events=st.lists(EVENTS, max_size=25),
)
def test_sent_and_copied_are_delivered_dropped_or_in_flight_at_every_step(
    parents, memberships, events
):
    network = Network(parents, memberships)
    scheduler, ledger = network.world.scheduler, network.world.ledger
    for event in sorted(events):
        scheduler.call_at(event[0], network.happen, event)
    while (time := scheduler.next_time()) <= 10**6:
        scheduler.run_until(time)
        assert ledger.imbalance() == 0
    assert ledger.in_flight() == 0
    sent = sum(what == "send" for _, what, _ in events)
    assert ledger.sent == sent


def test_the_balance_would_show_a_frame_that_vanished(world):
    class Thief(Device):
        def receive(self, port, frame):
            """Enter nothing."""

    thief = Thief("t", world)
    thief.add_port(1, "eth0", Mac(1)).receive(world.originate(b"", "h1"))
    assert world.ledger.imbalance() == 1
