"""The command iperf: which end it is, and its options."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import Final

from sdnvirt.commands.command import Command, Surroundings
from sdnvirt.commands.iperf.client import DEFAULT_RATE, client
from sdnvirt.commands.iperf.server import server
from sdnvirt.commands.options import PORT, Number, Options, seconds
from sdnvirt.units import NS_PER_S

DEFAULT_PORT: Final = 5001

SHORTEST_INTERVAL_NS: Final = NS_PER_S // 1000
"""Reports are 1 ms apart at least."""

_DECIMAL: Final = {"k": 10**3, "m": 10**6, "g": 10**9}
_BINARY: Final = {"K": 2**10, "M": 2**20, "G": 2**30}


class Iperf(Command):
    """iperf: how fast a path is."""

    summary = "measure throughput, jitter and loss"

    def options(self, name: str) -> Options:
        """Return the options of iperf 2 that mean something here."""
        options = Options(name, self.summary)
        end = options.add_mutually_exclusive_group(required=True)
        end.add_argument("-s", dest="server", action="store_true", help="receive")
        end.add_argument("-c", dest="client", metavar="HOST", help="send to a server")
        options.add_argument("-u", dest="udp", action="store_true", help="UDP instead of TCP")
        options.add_argument("-p", dest="port", type=PORT, default=DEFAULT_PORT, help="port")
        options.add_argument("-i", dest="interval", type=_interval, help="seconds of a report")
        options.add_argument(
            "-t", dest="time", type=seconds, default=10 * NS_PER_S, help="seconds to send"
        )
        options.add_argument("-n", dest="amount", type=_amount, help="bytes to send, as 10M")
        options.add_argument(
            "-b", dest="bandwidth", type=_amount, default=DEFAULT_RATE,
            help="bits a second of UDP, as 10m",
        )  # fmt: skip
        options.add_argument("-l", dest="length", type=Number(64, 65_000), help="bytes of a write")
        options.add_argument(
            "-P", dest="parallel", type=Number(1, 128), default=1, help="streams at once"
        )
        options.add_argument("-V", action="store_true", help="IPv6, which is there anyway")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Be the end that is asked for."""
        return await (server if given.server else client)(given, at)


def _interval(text: str) -> int | None:
    ns = seconds(text)
    if ns == 0:
        return None
    if ns < SHORTEST_INTERVAL_NS:
        raise argparse.ArgumentTypeError(f"interval too short: '{text}'")
    return ns


def _amount(text: str) -> int:
    """Return a number with one of iperf's units: small letters are of 1000, large of 1024."""
    scale = (_DECIMAL | _BINARY).get(text[-1:], 0)
    try:
        value = float(text[:-1] if scale else text) * (scale or 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid value: '{text}'") from None
    if not 1 <= value <= 1 << 60:
        raise argparse.ArgumentTypeError(f"out of range: '{text}'")
    return round(value)
