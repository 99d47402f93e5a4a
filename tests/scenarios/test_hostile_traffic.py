"""A host under attack: frames end for a reason, memory is bounded, and it goes on answering."""

from __future__ import annotations

import asyncio
import random
import struct

import pytest

from sdnvirt.addresses import Ipv4
from sdnvirt.drops import DropReason
from sdnvirt.host.reassembly import PACKET_LIMIT
from sdnvirt.network.network import Network
from sdnvirt.wire.checksum import internet_checksum
from sdnvirt.wire.tcp import SYN, Tcp

VICTIM = """
    name: victim
    switches:
      b1: {kind: bridge}
    hosts:
      h[1-3]: {address: '10.0.0.[1-3]/24'}
    links:
      - {between: ['h[1-3]', b1]}
"""

FLOOD = 100_000
BACKLOG = 128
TARGET = Ipv4("10.0.0.2")

pytestmark = pytest.mark.topology(text=VICTIM)


def ip_frame(
    network: Network, payload: bytes, *, src: bytes, protocol: int = 17, ttl: int = 64,
    fragment: int = 0, length: int | None = None, identification: int = 0,
) -> bytes:  # fmt: skip
    """Return a frame for the victim with whatever an attacker writes into its IPv4 header."""
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload) if length is None else length,
        identification, fragment, ttl, protocol, 0, src, TARGET,
    )  # fmt: skip
    checksum = internet_checksum(header).to_bytes(2, "big")
    mac = network["h2"].port().mac
    ethernet = bytes(mac) + b"\x02\0\0\0\0\x66\x08\x00"
    return ethernet + header[:10] + checksum + header[12:] + payload


def still_answers(network: Network) -> None:
    """The victim answers a ping and a new connection."""

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection(str(TARGET), 7)
        writer.write(b"alive?\n")
        answer = await reader.readline()
        writer.close()
        return answer

    assert network["h1"].ping("h2").received == 3
    assert network["h1"].call(ask(), limit="30s") == b"alive?\n"


@pytest.fixture
def victim(network: Network) -> Network:
    """The network, whose h2 echoes lines on TCP port 7."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    network["h2"].run(asyncio.start_server(echo, port=7, backlog=BACKLOG))
    network.run_for("1s")
    still_answers(network)
    return network


def receive(network: Network, data: bytes) -> None:
    """Let the victim take a frame now, without remembering a conversation for it."""
    frame = network.world.originate(data, "an attacker")
    network["h2"].port().receive(frame)


def test_a_syn_flood(victim: Network) -> None:
    host = victim.plant.hosts["h2"]
    for number in range(FLOOD):
        src = Ipv4(0x0B000000 + number)
        syn = Tcp(1024 + number % 60_000, 7, number, 0, SYN, 65_535).emit(src, TARGET)
        receive(victim, ip_frame(victim, syn, src=src, protocol=6))
        if number % 1_000 == 0:
            victim.run_for("1ms")
            assert len(host.tcp.connections) <= BACKLOG + 2
    victim.run_for("1s")
    assert len(host.tcp.connections) <= BACKLOG + 2
    still_answers(victim)


def test_what_no_honest_host_sends(victim: Network) -> None:
    own, stranger = bytes(TARGET), Ipv4("10.0.0.9")
    land = Tcp(7, 7, 1, 0, SYN, 1_000).emit(TARGET, TARGET)
    attacks = {
        ip_frame(victim, land, src=own, protocol=6): DropReason.MARTIAN,
        ip_frame(victim, bytes(20), src=Ipv4("224.0.0.1")): DropReason.MARTIAN,
        ip_frame(victim, bytes(20), src=Ipv4("10.0.0.255")): DropReason.MARTIAN,
        ip_frame(victim, bytes(20), src=stranger, length=19): DropReason.MALFORMED,
        ip_frame(victim, bytes(20), src=stranger, length=2_000): DropReason.MALFORMED,
        ip_frame(victim, bytes(3), src=stranger): DropReason.MALFORMED,
        ip_frame(victim, bytes(20), src=stranger, protocol=253): DropReason.UNKNOWN_PROTOCOL,
    }
    for frame, reason in attacks.items():
        before = victim.world.ledger.by_reason().get(reason, 0)
        receive(victim, frame)
        assert victim.world.ledger.by_reason().get(reason, 0) == before + 1, reason
    still_answers(victim)


def test_fragments_that_overlap_or_never_end(victim: Network) -> None:
    lots = random.Random(1)
    host = victim.plant.hosts["h2"]
    for number in range(5_000):
        offset = lots.randrange(0, 0x1FFF)
        more = 0x2000 if lots.random() < 0.9 else 0
        src = Ipv4(0x0B000000 + number % 500)
        payload = lots.randbytes(8 * lots.randrange(1, 100))
        receive(
            victim,
            ip_frame(victim, payload, src=src, fragment=more | offset, identification=number % 7),
        )
        assert len(host.fragments) <= PACKET_LIMIT * 64
    victim.run_for("120s")
    assert len(host.fragments) == 0
    still_answers(victim)


def test_noise(victim: Network) -> None:
    lots = random.Random(2)
    start = bytes(victim["h2"].port().mac) + b"\x02\0\0\0\0\x66"
    for _ in range(5_000):
        ethertype = lots.choice([b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00"])
        receive(victim, start + ethertype + lots.randbytes(lots.randrange(0, 80)))
    victim.run_for("5s")
    still_answers(victim)
