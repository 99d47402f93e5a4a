"""The command tcpdump: a tap on the port of an interface."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sdnvirt.capture.pcapng import PcapngFile
from sdnvirt.capture.taps import tap_all, untap
from sdnvirt.commands.command import Command, Failure, Surroundings
from sdnvirt.commands.options import Number, Options
from sdnvirt.commands.tcpdump.facts import Facts
from sdnvirt.commands.tcpdump.filters import FilterError, Predicate, compile_filter
from sdnvirt.commands.tcpdump.lines import Printer
from sdnvirt.devices.device import Port
from sdnvirt.errors import OutputError
from sdnvirt.frame import Frame
from sdnvirt.host.loopback import Loopback
from sdnvirt.wire.pcapng import Direction

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface


class Tcpdump(Command):
    """tcpdump: frames as they pass."""

    summary = "print the frames that pass an interface"

    def options(self, name: str) -> Options:
        """Return the options of tcpdump that mean something here."""
        options = Options(name, self.summary)
        options.add_argument("-i", dest="interface", help="the interface; by default the first")
        options.add_argument("-c", dest="count", type=Number(1, 1 << 31), help="frames at most")
        options.add_argument("-n", action="count", help="no names: there never are any")
        options.add_argument("-e", dest="link", action="store_true", help="with Ethernet")
        options.add_argument("-v", dest="verbose", action="count", help="with the header of IP")
        options.add_argument("-l", action="store_true", help="line by line, as always here")
        options.add_argument("-w", dest="file", help="write pcapng to a file instead")
        options.add_argument("filter", nargs="*", help="of pcap-filter(7), a subset")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Print frames until the count is reached or somebody stops it; then sum up."""
        interface = _interface(given, at)
        port = interface.port
        try:
            wanted = compile_filter(" ".join(given.filter))
        except FilterError as error:
            raise Failure(f"tcpdump: {error}") from None
        try:
            tap = _Tap(given, at, wanted, interface)
        except OutputError as error:
            raise Failure(f"tcpdump: {error}") from None
        if given.file is None and not given.verbose:
            at.out.line("tcpdump: verbose output suppressed, use -v[v]... for full protocol decode")
        name = given.interface or port.name
        before = "tcpdump: " if given.file is not None or given.verbose else ""
        at.out.line(
            f"{before}listening on {name}, link-type EN10MB (Ethernet), "
            "snapshot length 262144 bytes"
        )
        tap_all([port], tap)
        with suppress(asyncio.CancelledError):
            await tap.full.wait()
        untap([port], tap)
        tap.finish()
        at.out.line(f"{tap.count} packet{'' if tap.count == 1 else 's'} captured")
        at.out.line(f"{tap.count} packet{'' if tap.count == 1 else 's'} received by filter")
        at.out.line("0 packets dropped by kernel")
        return 0


def _interface(given: Namespace, at: Surroundings) -> Interface:
    if given.interface in (None, "any"):
        return at.host.interface
    interface = at.interface(given.interface)
    if interface is None:
        raise Failure(f"tcpdump: {given.interface}: No such device exists")
    return interface


class _Tap:
    """Takes the frames of an interface's port that are wanted."""

    def __init__(
        self, given: Namespace, at: Surroundings, wanted: Predicate, interface: Interface
    ) -> None:
        self._at = at
        # What leaves by lo comes back, and is shown once.
        self._both = not isinstance(interface, Loopback)
        self._limit = given.count
        self._wanted = wanted
        self._printer = Printer(link=given.link, verbose=bool(given.verbose))
        self._file = None if given.file is None else PcapngFile(Path(given.file))
        self._interface = 0 if self._file is None else self._file.add_interface(interface.port)
        self.count = 0
        self.full = asyncio.Event()

    def received(self, _port: Port, frame: Frame) -> None:
        """See a frame that arrived."""
        self._see(frame, Direction.INBOUND)

    def sent(self, _port: Port, frame: Frame) -> None:
        """See a frame that leaves."""
        if self._both:
            self._see(frame, Direction.OUTBOUND)

    def finish(self) -> None:
        """Write what waits to be written."""
        if self._file is not None:
            try:
                self._file.flush()
            except OutputError as error:
                raise Failure(f"tcpdump: {error}") from None

    def _see(self, frame: Frame, direction: Direction) -> None:
        facts = Facts.of(frame.data)
        if self.full.is_set() or facts is None or not self._wanted(facts):
            return
        self.count += 1
        now = self._at.now
        if self._file is None:
            self._at.out.line(self._printer.line(facts, now))
        else:
            self._file.add_frame(self._interface, now, frame, direction)
        if self.count == self._limit:
            self.full.set()
