"""What stories of networks are told with: who received what, and reports of runs by hand."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

import pytest

from sdnvirt.cli import main
from sdnvirt.devices.device import Port
from sdnvirt.frame import Frame
from sdnvirt.network.network import Network
from sdnvirt.network.report import Report, make_report


class Deliveries:
    """A tap that notes every frame that a machine receives."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, Frame]] = []

    def received(self, port: Port, frame: Frame) -> None:
        self.frames.append((port.device.name, frame))

    def sent(self, port: Port, frame: Frame) -> None:
        pass

    def of(self, packet_id: int) -> list[str]:
        """Return who received a packet, each as often as it did."""
        return sorted(
            name for name, frame in self.frames if frame.provenance.packet_id == packet_id
        )

    def receivers(self, cause: int) -> list[str]:
        """Return who received frames of a conversation, each as often as it did."""
        return sorted(name for name, frame in self.frames if frame.provenance.cause == cause)


@pytest.fixture
def deliveries(network: Network) -> Deliveries:
    """What the hosts, VMs and functions of the network receive from now on."""
    tap = Deliveries()
    for host in network.plant.hosts.values():
        for port in host.ports.values():
            port.taps += (tap,)
    return tap


@pytest.fixture
def report_of() -> Callable[[Network], Report]:
    """Report on a network in which the test itself did what was done."""
    return lambda network: make_report(network, [], "", 0.0, 0.0, interrupted=False)


@pytest.fixture(scope="session")
def sdnvirt() -> Callable[..., object]:
    """Run the command line in this process; returns its exit status."""

    def run(*arguments: object) -> object:
        terminating = signal.getsignal(signal.SIGTERM)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["sdnvirt", *map(str, arguments)])
            with pytest.raises(SystemExit) as exited:
                main()
        signal.signal(signal.SIGTERM, terminating)
        return exited.value.code or 0

    return run
