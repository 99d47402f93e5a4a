"""Captures on disk: one pcapng file for each node, one interface for each of its ports.

A file is open only while it is written, so the number of nodes is not bounded by the number of
files that a process may have open. Equal runs write equal bytes: the clock is virtual, and nothing
of the machine is in a file. A write that fails half-way leaves whole blocks, which readers accept.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Final

from sdnvirt.capture.taps import packet_name, tap_all, untap
from sdnvirt.devices.device import Port
from sdnvirt.devices.world import World
from sdnvirt.errors import OutputError
from sdnvirt.frame import Frame
from sdnvirt.wire.pcapng import (
    Direction,
    enhanced_packet,
    interface_description,
    section_header,
)

APPLICATION: Final = "sdnvirt"
"""What wrote the capture (shb_userappl); no version, so that captures outlive releases."""

BUFFER_BYTES: Final = 8 << 20
"""Bytes that wait to be written, over all files of a folder: enough that 10,000 files get several
packets at each opening, and little beside the network itself."""


class PcapngFile:
    """One capture file, which holds whole blocks only, whatever happens while it is written.

    The caller decides when what is appended goes to the file, by :meth:`flush`.

    Args:
        path: the file; what stands there is overwritten.

    Raises:
        OutputError: the file cannot be written.
    """

    __slots__ = ("_blocks", "_interfaces", "_size", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = 0
        self._interfaces = 0
        self._blocks = [section_header(APPLICATION)]
        try:
            path.write_bytes(b"")
        except OSError as error:
            raise _unwritable(path, error) from error

    def add_interface(self, port: Port) -> int:
        """Append the description of a port; return the number of its interface."""
        self._blocks.append(interface_description(port.full_name, f"port {port.number}"))
        self._interfaces += 1
        return self._interfaces - 1

    def add_frame(self, interface: int, time_ns: int, frame: Frame, direction: Direction) -> int:
        """Append a frame with the name of its packet; return how many bytes that takes."""
        provenance = frame.provenance
        comment = packet_name(provenance) if provenance.packet_id else ""
        block = enhanced_packet(interface, time_ns, frame.data, direction, comment)
        self._blocks.append(block)
        return len(block)

    def flush(self) -> None:
        """Write what was appended since the last time; of what fails, whole blocks remain.

        Raises:
            OutputError: the file cannot be written; what could not be is forgotten.
        """
        if not self._blocks:
            return
        blocks, self._blocks = self._blocks, []
        try:
            self._write(blocks)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _write(self, blocks: list[bytes]) -> None:
        # Not in append mode: a file that was removed in mid-run must not come back headless.
        with self.path.open("r+b", buffering=0) as file:
            file.seek(self._size)
            written = 0
            rest = memoryview(b"".join(blocks))
            try:
                while rest:
                    count = file.write(rest)
                    written += count
                    rest = rest[count:]
            finally:
                ends = accumulate(map(len, blocks), initial=0)
                self._size += max(end for end in ends if end <= written)
                if rest:
                    with suppress(OSError):  # a device such as /dev/full has no length
                        file.truncate(self._size)


class _PortTap:
    """Writes what passes one port as one interface of a file."""

    __slots__ = ("_file", "_folder", "_interface", "_scheduler")

    def __init__(
        self, folder: PcapngFolder, file: PcapngFile, interface: int, world: World
    ) -> None:
        self._folder = folder
        self._file = file
        self._interface = interface
        self._scheduler = world.scheduler

    def received(self, port: Port, frame: Frame) -> None:
        """Write the frame as inbound."""
        self._add(frame, Direction.INBOUND)

    def sent(self, port: Port, frame: Frame) -> None:
        """Write the frame as outbound."""
        self._add(frame, Direction.OUTBOUND)

    def _add(self, frame: Frame, direction: Direction) -> None:
        now = self._scheduler.now
        self._folder.buffered(self._file.add_frame(self._interface, now, frame, direction))


class PcapngFolder:
    """A folder of captures: every frame that passes the added ports, in ``NODE.pcapng``.

    Use it in a ``with`` statement, or call :meth:`close`. When writing fails in mid-run, the
    error is raised from the run once, capturing ends, and what was written stays readable.

    Args:
        folder: where the files go; made if it is missing. Files of the same names are overwritten.
        world: the surroundings, for their clock.

    Raises:
        OutputError: the folder cannot be made.
    """

    def __init__(self, folder: Path, world: World) -> None:
        self.folder = folder
        self._world = world
        self._files: dict[str, PcapngFile] = {}
        self._taps: list[tuple[Port, _PortTap]] = []
        self._buffered = 0
        self._failed = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise OutputError(f"cannot write captures to {folder}: it is not a folder") from error
        except OSError as error:
            raise _unwritable(folder, error) from error

    def add(self, node: str, ports: Iterable[Port]) -> None:
        """Capture at ports of a node from now on.

        Args:
            node: names the file. A node that was added before gets more interfaces.
            ports: not added before.

        Raises:
            OutputError: the file cannot be written.
        """
        assert node == Path(node).name, f"{node!r} cannot name a file"
        file = self._files.get(node)
        if file is None:
            file = self._files[node] = PcapngFile(self.folder / f"{node}.pcapng")
        for port in ports:
            tap = _PortTap(self, file, file.add_interface(port), self._world)
            tap_all([port], tap)
            self._taps.append((port, tap))
        file.flush()

    def buffered(self, size: int) -> None:
        """Count bytes that wait, and write all when they are too many."""
        self._buffered += size
        if self._buffered >= BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits, so that the files can be read in mid-run.

        Raises:
            OutputError: a file cannot be written; nothing more is captured then.
        """
        self._buffered = 0
        try:
            for file in self._files.values():
                file.flush()
        except OutputError:
            self._failed = True
            self._untap()
            raise

    def close(self) -> None:
        """End capturing and write what waits; doing so again has no effect.

        Raises:
            OutputError: a file could not be written, and no such error was raised before.
        """
        self._untap()
        errors: list[OutputError] = []
        for file in self._files.values():
            try:
                file.flush()
            except OutputError as error:
                errors.append(error)
        if errors and not self._failed:
            self._failed = True
            raise errors[0]

    def _untap(self) -> None:
        for port, tap in self._taps:
            untap([port], tap)
        self._taps.clear()

    def __enter__(self) -> PcapngFolder:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}: {error.strerror or error}")
