"""``sdnvirt run``: build, boot, play, check, report."""

from __future__ import annotations

import json
import logging
import os
import signal
from contextlib import ExitStack
from pathlib import Path
from shutil import get_terminal_size
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from sdnvirt import topology
from sdnvirt.cli.applog import AppLog
from sdnvirt.cli.report import report_text
from sdnvirt.cli.signals import end_at_once
from sdnvirt.cli.status import FAILED, killed_by
from sdnvirt.control.address import is_outside
from sdnvirt.errors import OutputError, SdnvirtError, UserError
from sdnvirt.network.checks import Checks
from sdnvirt.network.network import Network
from sdnvirt.network.report import Report, make_report
from sdnvirt.session import FROM_TOPOLOGY, NO_CONTROLLER, open_network
from sdnvirt.signals import Handler, handled_by
from sdnvirt.topology import Topology
from sdnvirt.topology.resolved import Controller
from sdnvirt.units import NS_PER_S, format_time

if TYPE_CHECKING:
    from sdnvirt.control.tls import TlsFiles

LONGEST_RUN_NS: Final = 24 * 3600 * NS_PER_S
"""Virtual time after which checks that are not over are given up: a day."""

FILE_WIDTH: Final = 100
"""Columns of a report that goes to a file or a pipe."""

_STANDARD_OUTPUT: Final = "-"


GRACE_S: Final = 5.0
"""Real time that a run has to come to its end after a signal: an app may never return."""


class _InterruptError(Exception):
    """Ctrl-C or SIGTERM, taken up between two events."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = killed_by(number)


def run_topology(
    file: str,
    *,
    seed: int | None,
    pcap: str | None,
    controller: str,
    json_file: str | None,
    verbose: bool,
    listen: int | None = None,
    private_key: str | None = None,
    certificate: str | None = None,
    ca_cert: str | None = None,
) -> int:
    """Run a topology file and print the report; return the exit status.

    Args:
        file: the topology file.
        seed: instead of the file's, or None.
        pcap: folder for captures, or None.
        controller: as of :func:`sdnvirt.session.load`.
        json_file: where the report goes as JSON, ``-`` for standard output, or None.
        listen: the first of the ports at which switches listen, or None.
        private_key: for TLS, like the two that follow: all three of them or none.
        certificate: of the switches.
        ca_cert: of who signed the other side's certificate.
        verbose: whether to show all that apps log, instead of warnings and errors only.

    Raises:
        UserError: the file, the controller or an output is wrong.
    """
    begun = perf_counter()
    if json_file not in (None, _STANDARD_OUTPUT):
        _check_writable(Path(str(json_file)))
    tls = _tls_files(private_key, certificate, ca_cert)
    if tls is not None and listen is None and not controller.startswith("ssl:"):
        raise UserError("--private-key, --certificate and --ca-cert go with --listen or ssl:")
    spec = topology.load(file, seed=seed)
    log = AppLog()
    told: SdnvirtError | None = None
    level = logging.INFO if verbose else logging.WARNING
    try:
        with ExitStack() as cleanup:
            network = open_network(
                spec,
                controller,
                log=log,
                log_level=level,
                listen=_listening_address(listen, tls),
                tls=tls,
            )
            cleanup.callback(network.close)
            if pcap is not None:
                _capture(network, Path(pcap), cleanup)
            checks = Checks(network)
            network.invariants.ask_after_faults()
            running = perf_counter()
            status = _play(network, checks)
            now = perf_counter()
            report = make_report(
                network,
                checks.results(),
                _controller_name(spec, controller),
                now - begun,
                now - running,
                status != 0,
            )
    except SdnvirtError as error:
        told = error
        raise
    finally:
        log.finish(told)
    _show(report, json_file)
    return status or (0 if report.held else FAILED)


def _play(network: Network, checks: Checks) -> int:
    """Run until every check is over, the timeline has been played and the network has settled.

    Without either, the run ends when the network has booted.

    Returns:
        0, or the exit status that says what interrupted the run.
    """
    spec, invariants = network.topology, network.invariants
    end = max([spec.duration_ns, *(event.at_ns for event in spec.timeline)])
    try:
        with handled_by(_interrupting(network)):
            if not spec.checks and not end:
                network.boot()
            network.run_while(lambda: checks.pending or invariants.pending, LONGEST_RUN_NS)
            network.run_until(end)
            network.commands.finish()
    except _InterruptError as interrupt:
        return interrupt.status
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return 0


def _interrupting(network: Network) -> Handler:
    """Return what ends a run between two events, and at the second signal or too late at once."""
    signals = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal signals
        signals += 1
        if signals > 1:
            end_at_once(number, frame)
        signal.signal(signal.SIGALRM, lambda _number, frame: end_at_once(number, frame))
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)
        network.fail(_InterruptError(number))

    return handle


def _capture(network: Network, folder: Path, cleanup: ExitStack) -> None:
    """Write what every port sees to a folder, a file for each node."""
    from sdnvirt.capture.pcapng import PcapngFolder

    files = cleanup.enter_context(PcapngFolder(folder, network.world))
    for node, ports in network.ports_by_node().items():
        files.add(node, ports)


def _tls_files(*paths: str | None) -> TlsFiles | None:
    """Return private key, certificate and CA certificate, or None without any."""
    given = [Path(path) for path in paths if path is not None]
    if not given:
        return None
    if len(given) < len(paths):
        raise UserError("--private-key, --certificate and --ca-cert go together")
    from sdnvirt.control.tls import TlsFiles

    return TlsFiles(*given)


def _listening_address(port: int | None, tls: TlsFiles | None) -> str | None:
    if port is None:
        return None
    return f"{'ptcp' if tls is None else 'pssl'}:{port}"


def _controller_name(spec: Topology, controller: str) -> str:
    if controller == NO_CONTROLLER:
        return "none"
    if is_outside(controller):
        return f"{controller}, in real time"
    written = spec.controller or Controller(())
    if controller == FROM_TOPOLOGY:
        names = ", ".join(Path(app.file).name if app.file else app.name for app in written.apps)
    else:
        names = Path(controller).name
    if not names:
        return ""
    away = f", {format_time(written.delay_ns)} away" if written.delay_ns else ""
    return f"{names}, embedded in virtual time{away}"


def _show(report: Report, json_file: str | None) -> None:
    """Print the report; a JSON file that cannot be written does not keep it from the user."""
    text = json.dumps(report.to_dict(), indent=2) + "\n"
    if json_file == _STANDARD_OUTPUT:
        click.echo(text, nl=False)
        return
    # NO_COLOR: see no-color.org.
    color = False if os.environ.get("NO_COLOR") else None
    click.echo(report_text(report, get_terminal_size((FILE_WIDTH, 0)).columns), color=color)
    if json_file is not None:
        try:
            Path(json_file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {json_file}: {error.strerror}") from error


def _check_writable(path: Path) -> None:
    """Refuse at once what could not be written at the end of a long run."""
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OutputError(f"cannot write {path}: permission denied")
