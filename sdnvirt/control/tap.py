"""A TAP device of Linux as a device of the emulated network: the kernel's stack is at its far end.

Frames that reach the device's port are written to the TAP device, so the kernel receives them;
frames that the kernel sends there leave by the port. Between them lies whatever the emulated
network is: the port is linked like any other, and the link may be slow, lossy or cut.

    emulated host - link - TapDevice - [descriptor] - tap0, with the kernel's addresses

The network must run in real time (:mod:`sdnvirt.control.transport`).
"""

from __future__ import annotations

import fcntl
import os
import struct
from typing import Final

from sdnvirt.addresses import Mac
from sdnvirt.control.transport import CLOSED, READ, Transport
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.errors import UserError
from sdnvirt.frame import Frame

CLONE_DEVICE: Final = "/dev/net/tun"
"""Where TUN and TAP devices are made (Linux, Documentation/networking/tuntap.rst)."""

MAX_NAME: Final = 15
"""Bytes of an interface's name: IFNAMSIZ without its end."""

BATCH: Final = 64
"""Frames that are read before the network goes on, so that a flood from outside cannot stop it."""

_TUNSETIFF: Final = 0x400454CA
_IFF_TAP: Final = 0x0002
_IFF_NO_PI: Final = 0x1000
_LARGEST: Final = 0xFFFF
"""Bytes of a frame that is read: beyond the largest MTU that a TAP device can have."""


class TapFile:
    """The descriptor of a TAP device, or another one that reads and writes whole frames.

    Args:
        descriptor: the file descriptor; it belongs to this object from now on.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Return the descriptor, or CLOSED."""
        return self._descriptor

    def read(self) -> bytes | None:
        """Return the next frame, or None if there is none now, or the device is down."""
        try:
            return os.read(self._descriptor, _LARGEST)
        except OSError:  # EAGAIN; EIO and EBADFD while the kernel has the device down or removed
            return None

    def write(self, data: bytes) -> DropReason | None:
        """Hand a frame to the kernel; return why it was not taken, or None if it was."""
        try:
            os.write(self._descriptor, data)
        except BlockingIOError:
            return DropReason.QUEUE_FULL
        except OSError:  # EIO while the kernel has the device down, EINVAL below a header's length
            return DropReason.LINK_DOWN
        return None

    def close(self) -> None:
        """Close the descriptor, with which the TAP device vanishes; does nothing if it is."""
        descriptor, self._descriptor = self._descriptor, CLOSED
        if descriptor != CLOSED:
            os.close(descriptor)


def open_tap(name: str) -> TapFile:
    """Make a TAP device in the network namespace of the calling thread.

    Args:
        name: of the interface, 1 to MAX_NAME bytes.

    Returns:
        its descriptor; the device is there, and down, until this is closed.

    Raises:
        UserError: there is no ``/dev/net/tun``, no right to make a device, or the name is taken.
    """
    if not 1 <= len(name.encode()) <= MAX_NAME:
        raise UserError(f"TAP device: found the name {name!r}, expected 1 to {MAX_NAME} bytes")
    try:
        descriptor = os.open(CLONE_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UserError(
            f"TAP device {name}: cannot open {error.filename}: {error.strerror}"
        ) from None
    file = TapFile(descriptor)
    request = struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI)  # struct ifreq
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, request)
    except OSError as error:
        file.close()
        raise UserError(f"TAP device {name}: cannot be made: {error.strerror}") from None
    return file


class TapDevice(Device):
    """A device with one port, at whose far side is the kernel.

    Args:
        name: unique in the network.
        world: the surroundings.
        mac: address of the port; no frame carries it.
        file: the TAP device, or what behaves so; the transport closes it.
        transport: lets the network run in real time, and watches the descriptor.

    Attributes:
        port: its port, to be linked.
    """

    __slots__ = ("_file", "_pacer", "port")

    def __init__(
        self, name: str, world: World, mac: Mac, file: TapFile, transport: Transport
    ) -> None:
        super().__init__(name, world)
        self.port = self.add_port(1, "kernel", mac)
        self._file = file
        self._pacer = transport.pacer
        transport.watch(file, READ, self._readable)

    def receive(self, port: Port, frame: Frame) -> None:
        """Hand a frame to the kernel, and enter in the ledger what became of it."""
        reason = self._file.write(frame.data)
        if reason is None:
            self.world.ledger.delivered += 1
        else:
            self.drop(frame, reason)

    def _readable(self, _events: int) -> None:
        """Take what the kernel has sent; it arrives in the network now, by the real clock."""
        scheduler = self.world.scheduler
        for _ in range(BATCH):
            data = self._file.read()
            if not data:
                return
            # The network stood still while it waited: its time is that of the last event.
            now = max(self._pacer.now, scheduler.now)
            scheduler.call_at(now, self.port.send, self.world.originate(data, self.name))
