"""What stories of networks are told with.

Who received what, reports of runs by hand, and networks that stock Ryu apps steer: embedded, in
virtual time, and over TCP, in real time.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest

from sdnvirt import topology
from sdnvirt.cli import main
from sdnvirt.devices.device import Port
from sdnvirt.frame import Frame
from sdnvirt.network.network import Network
from sdnvirt.network.report import Report, make_report
from sdnvirt.session import open_network
from sdnvirt.units import parse_time


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


# stock apps

PATIENCE_S: Final = 20
"""For Ryu to start, and for it to answer."""

SET_UP: Final = "500ms"
"""Real time that a Ryu of its own takes, after the handshake, to set a switch up as its apps want,
which no message announces."""

ARRIVAL: Final = "200ms"
"""Real time that what an app has sent before it answered a request takes to arrive."""

IN_A_HURRY: Final = """
    from ryu.base.app_manager import RyuApp
    from ryu.lib import stplib

    stplib.Bridge._DEFAULT_VALUE.update(hello_time=1, max_age=4, fwd_delay=2)

    class InAHurry(RyuApp):
        pass
"""
"""An app that lets bridges in real time listen for 2 s and learn for 2 s, not for 15 s each, and
believe for 4 s, not 20 s, in a bridge that is silent."""


class Lab(ABC):
    """A network whose switches are steered by stock apps.

    Attributes:
        network: the network.
        lines: what the apps have logged.
    """

    network: Network

    @property
    @abstractmethod
    def lines(self) -> list[str]: ...

    @abstractmethod
    def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return the status and the value with which a REST app answers a request."""

    def boot(self) -> None:
        """Wait until the switches have their controller."""
        assert self.network.boot()

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        """Return what a REST app answers to a request that must succeed."""
        status, answer = self.ask(method, path, body)
        assert status == 200, answer
        return answer

    def ping(self, source: str, target: str, count: int = 1) -> int:
        """Return how many echo requests were answered."""
        return self.network[source].ping(target, count=count).received

    def reaches(self, source: str, target: str) -> bool:
        """Whether an echo request is answered, once what the apps have sent has arrived."""
        return any(self.ping(source, target) for _ in range(5))

    def until(self, condition: Callable[[], object], limit: str) -> None:
        """Run the network until something has happened."""
        end = self.network.now + parse_time(limit)
        while not condition():
            assert self.network.now < end, f"not within {limit}"
            self.network.run_for("50ms")

    def told(self, words: str) -> bool:
        """Whether an app has logged a line with these words."""
        return any(words in line for line in self.lines)


class EmbeddedLab(Lab):
    """Apps in this process, in virtual time."""

    def __init__(self, file: Path, apps: str, **options: Any) -> None:
        with file.open("a", encoding="utf-8") as text:
            text.write(f"controller: {{apps: [{apps}]}}\n")
        self._lines: list[str] = []
        self.network = open_network(
            topology.load(file), log=self._lines.append, log_level=logging.INFO, **options
        )

    @property
    def lines(self) -> list[str]:
        return self._lines

    def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        return self.network.controller.rest(method, path, body)

    def close(self) -> None:
        self.network.close()


class RemoteLab(Lab):
    """Apps in a Ryu of their own, over TCP, in real time."""

    def __init__(
        self,
        file: Path,
        apps: str,
        controller_options: Sequence[str] = (),
        auxiliary_connections: int = 0,
    ) -> None:
        self._cleanup = ExitStack()
        self._log = file.with_name("ryu.log")
        hurry = file.with_name("in_a_hurry.py")
        hurry.write_text(dedent(IN_A_HURRY))
        with (
            socket.create_server(("127.0.0.1", 0)) as one,
            socket.create_server(("127.0.0.1", 0)) as other,
        ):
            port, self._rest_port = (server.getsockname()[1] for server in (one, other))
        # Ryu reads options from the environment as well, as all that is built on oslo.config.
        given = {option.strip("-").replace("-", "_"): "true" for option in controller_options}
        options = {"wsapi_port": str(self._rest_port), **given}
        command = [sys.executable, "-m", "sdnvirt.control.launch", str(hurry), *apps.split(", ")]
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--port", str(port)],
                env=os.environ | {f"OS_DEFAULT__{k.upper()}": v for k, v in options.items()},
                stderr=log,
            )
        self._cleanup.callback(process.wait, PATIENCE_S)
        self._cleanup.callback(process.kill)
        self._wait_for(port)
        self.network = open_network(
            topology.load(file),
            f"tcp:127.0.0.1:{port}",
            auxiliary_connections=auxiliary_connections,
        )
        self._cleanup.callback(self.network.close)

    def boot(self) -> None:
        super().boot()
        self.network.run_for(SET_UP)

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        with socket.socket() as probe:
            while probe.connect_ex(("127.0.0.1", port)) != 0:
                assert time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.02)

    @property
    def lines(self) -> list[str]:
        return self._log.read_text().splitlines()

    def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"http://127.0.0.1:{self._rest_port}{path}", data, method=method)

        def fetch() -> tuple[int, str]:
            with urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode()

        with ThreadPoolExecutor(1) as pool:
            fetching = pool.submit(fetch)
            while not fetching.done():  # switches have to answer the app meanwhile
                self.network.run_for("5ms")
        self.network.run_for(ARRIVAL)
        status, text = fetching.result()
        return status, json.loads(text) if text else None

    def close(self) -> None:
        self._cleanup.close()


MODES: Final[dict[str, type[Lab]]] = {"embedded": EmbeddedLab, "tcp": RemoteLab}

Begin = Callable[..., Lab]


@pytest.fixture(params=MODES)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Begin]:
    """Begin with a topology and stock apps; each test runs in both modes."""
    yield from _labs(MODES[request.param], tmp_path)


@pytest.fixture
def embedded_lab(tmp_path: Path) -> Iterator[Begin]:
    """The same for tests that look at virtual time."""
    yield from _labs(EmbeddedLab, tmp_path)


@pytest.fixture
def remote_lab(tmp_path: Path) -> Iterator[Begin]:
    """The same for tests of connections."""
    yield from _labs(RemoteLab, tmp_path)


def _labs(kind: type[Lab], folder: Path) -> Iterator[Begin]:
    with ExitStack() as cleanup:

        def begin(text: str, apps: str, **options: Any) -> Lab:
            file = folder / "topology.yaml"
            file.write_text(dedent(text))
            one = kind(file, apps, **options)
            cleanup.callback(one.close)
            one.boot()
            return one

        yield begin
