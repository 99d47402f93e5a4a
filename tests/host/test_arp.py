"""ARP: conflicts of addresses, probes and announcements (RFC 5227)."""

from __future__ import annotations

from ipaddress import IPv4Interface

import pytest
from scapy.layers.l2 import ARP, Ether

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.drops import DropReason

S = 10**9
ALICE, WIRE = "02:00:00:00:00:01", "02:00:00:00:00:02"
BROADCAST = "ff:ff:ff:ff:ff:ff"
A, B, NEW = "10.0.0.1", "10.0.0.2", "10.0.0.9"
TO_ALL = Ether(dst=BROADCAST, src=WIRE)


def arp(**fields) -> bytes:
    return bytes(TO_ALL / ARP(**{"op": 1, "hwsrc": WIRE, **fields}))


def heard(wired) -> list[ARP]:
    return [frame[ARP] for frame in map(Ether, wired.wire.listen()) if ARP in frame]


def run(wired, seconds: float) -> None:
    scheduler = wired.world.scheduler
    scheduler.run_until(scheduler.now + int(seconds * S))


CLAIMS = {
    "an announcement": arp(psrc=A, pdst=A),
    "a reply": arp(op=2, psrc=A, pdst=B),
    "a request": arp(psrc=A, pdst="10.0.0.77"),
}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_an_address_is_defended(wired, claim) -> None:
    wired.wire.say(claim)
    [defence, *_] = heard(wired)
    assert (defence.op, defence.hwsrc, defence.psrc, defence.pdst) == (1, ALICE, A, A)
    assert wired.host.interface.arp.conflicts == 1
    assert len(wired.host.interface.neighbours) == 0


def test_it_is_defended_once_in_a_while(wired) -> None:
    for _ in range(20):
        wired.wire.say(CLAIMS["an announcement"])
    assert sum(one.op == 1 and one.psrc == A for one in heard(wired)) == 1
    run(wired, 10)
    wired.wire.say(CLAIMS["an announcement"])
    assert sum(one.op == 1 and one.psrc == A for one in heard(wired)) == 1
    assert wired.host.interface.arp.conflicts == 21


def test_an_address_is_probed_and_announced(wired) -> None:
    told: list[Mac | None] = []
    wired.host.probe(IPv4Interface(f"{NEW}/24"), on_result=told.append)
    run(wired, 10)
    packets = heard(wired)
    assert [(one.psrc, one.pdst) for one in packets] == [("0.0.0.0", NEW)] * 3 + [(NEW, NEW)] * 2
    assert told == [None]
    assert wired.host.ip.owner(Ipv4(NEW)) is wired.host.interface
    assert wired.host.address == Ipv4(A)


@pytest.mark.parametrize(
    "rival",
    [arp(op=2, psrc=NEW, pdst="0.0.0.0"), arp(psrc="0.0.0.0", pdst=NEW), arp(psrc=NEW, pdst=A)],
    ids=["it answers", "it probes, too", "it uses it"],
)
def test_an_address_that_somebody_has_is_not_taken(wired, rival) -> None:
    told: list[Mac | None] = []
    wired.host.probe(IPv4Interface(f"{NEW}/24"), on_result=told.append)
    run(wired, 2)
    wired.wire.say(rival)
    run(wired, 10)
    assert told == [Mac(WIRE)]
    assert wired.host.ip.owner(Ipv4(NEW)) is None
    assert all(one.psrc != NEW for one in heard(wired))


def test_our_own_probe_coming_back_is_no_conflict(wired) -> None:
    told: list[Mac | None] = []
    wired.host.probe(IPv4Interface(f"{NEW}/24"), on_result=told.append)
    run(wired, 2)
    wired.wire.say(bytes(TO_ALL / ARP(op=1, hwsrc=ALICE, psrc="0.0.0.0", pdst=NEW)))
    run(wired, 10)
    assert told == [None]


def test_every_address_is_answered_for(wired) -> None:
    wired.host.add_address(IPv4Interface("10.1.0.1/16"))
    wired.wire.say(arp(psrc="10.1.0.2", pdst="10.1.0.1"))
    [answer] = heard(wired)
    assert (answer.op, answer.psrc, answer.pdst) == (2, "10.1.0.1", "10.1.0.2")
    wired.host.start_ping(Ipv4("10.1.0.77"), count=1)
    [request] = heard(wired)
    assert (request.psrc, request.pdst) == ("10.1.0.1", "10.1.0.77")


def test_arp_about_others_has_a_reason_of_its_own(wired) -> None:
    wired.wire.say(arp(psrc=B, pdst="10.0.0.77"))
    assert wired.world.ledger.by_reason() == {DropReason.NOT_MY_ARP: 1}
