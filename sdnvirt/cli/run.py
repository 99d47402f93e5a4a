"""``sdnvirt run``: build, boot, play, check, report."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import Final

import click

from sdnvirt import topology
from sdnvirt.cli.report import report_text
from sdnvirt.errors import OutputError
from sdnvirt.network.checks import Checks
from sdnvirt.network.network import Network
from sdnvirt.network.report import Report, make_report
from sdnvirt.session import FROM_TOPOLOGY, open_network
from sdnvirt.topology import Topology
from sdnvirt.units import NS_PER_S

LONGEST_RUN_NS: Final = 24 * 3600 * NS_PER_S
"""Virtual time after which checks that are not over are given up: a day."""

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells have it: 128 and the number of the signal."""


class _InterruptError(Exception):
    """Ctrl-C, taken up between two events."""


def run_topology(
    file: str,
    seed: int | None,
    pcap: str | None,
    controller: str | None,
    json_file: str | None,
    verbose: bool,
) -> int:
    """Run a topology file and print the report; return the exit status.

    Raises:
        UserError: the file, the controller or an output is wrong.
    """
    begun = perf_counter()
    if json_file not in (None, "-"):
        _check_writable(Path(str(json_file)))
    spec = topology.load(file, seed=seed)
    if verbose:
        network = open_network(spec, controller or FROM_TOPOLOGY, log=_log, log_level=logging.INFO)
    else:
        network = open_network(spec, controller or FROM_TOPOLOGY, log=_log)
    with ExitStack() as cleanup:
        cleanup.callback(network.close)
        if pcap is not None:
            _capture(network, Path(pcap), cleanup)
        report = _play(network, begun, _controller_name(spec, controller))
    if json_file is not None:
        text = json.dumps(report.to_dict(), indent=2) + "\n"
        if json_file == "-":
            click.echo(text, nl=False)
        else:
            _write(Path(json_file), text)
    if json_file != "-":
        click.echo(report_text(report))
    return INTERRUPTED if report.interrupted else 0 if report.held else 1


def _play(network: Network, begun: float, controller: str) -> Report:
    """Run until every check is over and the timeline has been played."""
    checks = Checks(network)
    running = perf_counter()
    interrupted = False
    spec = network.topology
    end = max([spec.duration_ns, *(event.at_ns for event in spec.timeline)])
    try:
        with _ctrl_c(network):
            network.run_while(lambda: checks.pending, LONGEST_RUN_NS)
            network.run_until(end)
    except _InterruptError:
        interrupted = True
    now = perf_counter()
    return make_report(
        network, checks.results(), controller, now - begun, now - running, interrupted
    )


@contextmanager
def _ctrl_c(network: Network) -> Iterator[None]:
    """Let the first Ctrl-C end the run between two events; the second one kills as usual."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        network.fail(_InterruptError())

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _capture(network: Network, folder: Path, cleanup: ExitStack) -> None:
    """Write what every port sees to a folder, a file for each node."""
    from sdnvirt.capture.pcapng import PcapngFolder

    files = cleanup.enter_context(PcapngFolder(folder, network.world))
    for node, ports in network.ports_by_node().items():
        files.add(node, ports)


def _controller_name(spec: Topology, address: str | None) -> str:
    if address is not None:
        return address if address == "none" else f"{address}, in real time"
    if spec.controller is None:
        return ""
    names = ", ".join(Path(app.file).name if app.file else app.name for app in spec.controller.apps)
    return f"{names}, embedded in virtual time"


def _log(line: str) -> None:
    click.echo(line, err=True)


def _check_writable(path: Path) -> None:
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(f"{path}: not a file in an existing folder")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from error
