"""Pings between two hosts on one cable, and what their result says."""

from __future__ import annotations

from ipaddress import IPv4Interface

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.rules import Deliver, Drop, Duplicate, Pass
from sdnvirt.drops import DropReason
from sdnvirt.host.ping import PingResult
from sdnvirt.wire.arp import LENGTH as ARP_LENGTH
from sdnvirt.wire.ethernet import HEADER_LENGTH

ALICE, BOB, NOBODY = Ipv4("10.0.0.1"), Ipv4("10.0.0.2"), Ipv4("10.0.0.13")
MS = 1_000_000


def test_both_ways(pair) -> None:
    there = pair.alice.start_ping(BOB)
    assert not there.done
    pair.run(2.5)
    back = pair.bob.start_ping(ALICE)
    pair.run(2.5)
    assert there.done
    assert back.done
    result = there.result()
    assert (result.sent, result.received, result.loss) == (3, 3, 0.0)
    # The first exchange waits for ARP; the others take two delays of the cable.
    assert result.rtts_ns == (4000, 2000, 2000)
    assert result.responders == (Mac("02:00:00:00:00:02"),)
    assert back.result().rtts_ns == (2000, 2000, 2000)
    assert pair.world.ledger.dropped == 0


def test_answers_carry_the_cause_of_their_question(pair) -> None:
    causes = []

    class Tap:
        def sent(self, port, frame) -> None:
            causes.append((port.device.name, frame.provenance.cause))

        def received(self, port, frame) -> None: ...

    pair.alice.ports[1].taps = pair.bob.ports[1].taps = (Tap(),)
    pair.alice.start_ping(BOB, count=1, cause=42)
    pair.run(1)
    # An ARP request and its reply, an echo request and its reply.
    assert causes == [("alice", 42), ("bob", 42), ("alice", 42), ("bob", 42)]


def test_frames_say_whose_they_are(wired) -> None:
    wired.host.start_ping(BOB, count=1)
    wired.wire.listen()
    provenance = wired.wire.frames[0].provenance
    assert (provenance.origin, provenance.tenant) == ("alice", "acme")
    assert provenance.network == "acme/web"


def test_on_done_is_called_once(pair) -> None:
    done = []
    ping = pair.alice.start_ping(BOB, count=2, on_done=done.append)
    pair.run(5)
    assert done == [ping]
    assert pair.alice.pings == {}


def test_nobody_answers_arp(pair) -> None:
    ping = pair.alice.start_ping(NOBODY)
    pair.run(3)
    assert ping.done
    result = ping.result()
    assert result.errors == ("10.0.0.13: no ARP answer",)
    assert (result.loss, result.error_count) == (1.0, 3)
    pair.run(3)
    # They never were frames, so the ledger knows only the three requests.
    assert pair.world.ledger.by_reason() == {DropReason.NOT_MY_ARP: 3}
    assert pair.alice.interface.neighbours.abandoned == {DropReason.NEIGHBOUR_UNRESOLVED: 3}


def test_a_patient_ping_hears_of_the_failure_from_the_cache(pair) -> None:
    ping = pair.alice.start_ping(NOBODY, count=1, timeout_ns=60_000 * MS)
    pair.run(3)
    assert ping.done
    assert ping.result().errors == ("10.0.0.13: no ARP answer",)


def test_beyond_the_subnet_without_a_gateway(pair) -> None:
    ping = pair.alice.start_ping(Ipv4("192.0.2.1"), count=1)
    assert ping.done
    assert ping.result().errors == ("192.0.2.1: no route",)


def test_beyond_the_subnet_the_gateway_is_asked(pair) -> None:
    pair.alice.configure(IPv4Interface("10.0.0.1/24"), gateway=NOBODY)
    ping = pair.alice.start_ping(Ipv4("192.0.2.1"), count=1)
    pair.run(1)
    assert ping.result().errors == ("10.0.0.13: no ARP answer",)


def test_without_an_address(pair) -> None:
    pair.alice.unconfigure()
    ping = pair.alice.start_ping(BOB, count=1)
    assert ping.result().errors == ("this host has no address",)


def test_over_the_mtu(pair) -> None:
    ping = pair.alice.start_ping(BOB, count=1, size=1473)
    assert ping.result().errors == ("a packet of 1501 bytes is larger than the MTU 1500",)
    fits = pair.alice.start_ping(BOB, count=1, size=1472)
    pair.run(1)
    assert fits.result().received == 1


def test_to_itself(pair) -> None:
    ping = pair.alice.start_ping(ALICE, count=2)
    pair.run(2)
    assert ping.result().received == 2
    assert pair.alice.ports[1].tx_packets == 0


class OnlyArp:
    """Fault rule: loses whatever is larger than an ARP packet."""

    def judge(self, frame, now):
        return Drop(DropReason.LINK_RULE) if is_ping(frame) else Pass()


class Twice:
    """Fault rule: sends everything but ARP twice."""

    def judge(self, frame, now):
        return Duplicate(1) if is_ping(frame) else Deliver()


def is_ping(frame) -> bool:
    return len(frame.data) > HEADER_LENGTH + ARP_LENGTH


def test_silence_is_loss_without_an_error(pair) -> None:
    pair.link.add_rule(pair.bob.ports[1], OnlyArp())
    ping = pair.alice.start_ping(BOB, count=2)
    pair.run(2)
    assert ping.done
    assert (ping.result().received, ping.result().errors) == (0, ())


def test_duplicates_are_not_received_twice(pair) -> None:
    pair.link.add_rule(pair.bob.ports[1], Twice())
    ping = pair.alice.start_ping(BOB, count=2)
    pair.run(3)
    result = ping.result()
    assert (result.received, result.duplicates) == (2, 1)  # the last one came after the end


def test_late_answers_are_told_of(pair) -> None:
    pair.alice.start_ping(BOB, count=1)  # so that the ARP exchange is over
    pair.run(1)
    ping = pair.alice.start_ping(BOB, count=2, timeout_ns=1500, interval_ns=3000)
    pair.run(1)
    assert ping.result().received == 0
    assert ping.result().errors == ("an answer came after more than 1.5 us",)


def test_the_same_host_pings_twice_at_once(pair) -> None:
    pings = [pair.alice.start_ping(BOB, count=2, interval_ns=MS) for _ in range(3)]
    assert [ping.identifier for ping in pings] == [1, 2, 3]
    pair.run(2)
    assert [ping.result().received for ping in pings] == [2, 2, 2]


def test_the_summary_reads_like_that_of_iputils() -> None:
    result = PingResult(
        target=BOB, sent=3, received=2, duplicates=1, rtts_ns=(1_000_000, 3_000_000),
        responders=(), errors=("x",), error_count=1, duration_ns=2_002_000_000,
    )  # fmt: skip
    assert str(result) == (
        "--- 10.0.0.2 ping statistics ---\n"
        "3 packets transmitted, 2 received, +1 duplicates, +1 errors, 33.3333% packet loss, "
        "time 2002ms\n"
        "rtt min/avg/max/mdev = 1.000/2.000/3.000/1.000 ms"
    )


def test_without_an_answer_there_are_no_times() -> None:
    result = PingResult(BOB, 1, 0, 0, (), (), (), 0, 10**9)
    assert "rtt" not in str(result)
    assert (result.min_ns, result.avg_ns, result.max_ns, result.mdev_ns) == (None,) * 4
