"""A Ryu of its own, for apps that run remotely: what ``sdnvirt controller APP`` runs.

It is ``ryu-manager`` with what stock Ryu needs on a Python of today, an address that only this
machine reaches, and one line for what goes wrong. Ryu monkey-patches the process, so this belongs
into one that does nothing else: ``python -m sdnvirt.control.launch``.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from sdnvirt.control import bgp
from sdnvirt.control.address import DEFAULT_PORT, PORT_MAX, reason
from sdnvirt.control.blame import Blame
from sdnvirt.control.modules import AppModules, is_file
from sdnvirt.control.options import config_file
from sdnvirt.control.shim import complete_ovs, quiet_import, removed_names
from sdnvirt.errors import ControllerError, UserError
from sdnvirt.signals import handled_by

_INSIST_S: Final = 0.2
"""Real time after which Ryu is interrupted again, until it begins to close its apps."""


def run_controller(
    apps: Sequence[str],
    listen_host: str = "127.0.0.1",
    listen_port: int = DEFAULT_PORT,
    topology_path: str | None = None,
    bgp_port: int = bgp.DEFAULT_PORT,
) -> int:
    """Run Ryu with some apps until SIGINT or SIGTERM, which end it in order; return status 0.

    Args:
        apps: modules such as ``ryu.app.simple_switch_13``, or paths of Python files.
        listen_host: address to listen on, for switches, for REST and for BGP.
        listen_port: TCP port for switches.
        topology_path: the file that apps find in ``CONF.sdnvirt.topology``, or None.
        bgp_port: TCP port of the apps' BGP speakers and of their neighbours.

    Raises:
        ControllerError: an app cannot be loaded, or nothing can listen there.
    """
    blame = Blame()
    for app in apps:
        _check(app, blame)
    _check_address(listen_host, listen_port)
    manager = _manager(listen_host, bgp_port)
    with config_file(topology_path) as file, _interrupting():
        options = {
            "--config-file": file,
            "--ofp-listen-host": listen_host,
            "--ofp-tcp-listen-port": str(listen_port),
            "--wsapi-host": listen_host,
        }
        arguments = [word for option in options.items() for word in option]
        try:
            manager.main(args=[*arguments, *apps], prog="sdnvirt controller")
        except KeyboardInterrupt:
            pass
        except (Exception, SystemExit) as error:
            raise blame.error(error) from error
    return 0


def _check(app: str, blame: Blame) -> None:
    """Refuse an app that is not there, or that Ryu would take for something else."""
    file = AppModules().find(app)
    label = os.path.basename(file).removesuffix(".py")
    blame.claim(file, label)
    if is_file(app):
        blame.claim(os.path.dirname(file), label)
        with open(file, "rb") as source:
            try:
                compile(source.read(), file, "exec")
            except (SyntaxError, ValueError) as error:
                raise blame.error(error, label) from error


def _check_address(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on; Ryu would log that and run on."""
    if not 0 < port <= PORT_MAX:
        raise ControllerError(f"cannot listen on port {port}: expected 1 to {PORT_MAX}")
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.create_server((host, port), family=family):
            pass
    except OSError as error:
        raise ControllerError(f"cannot listen on {host}:{port}: {reason(error)}") from error


def _manager(host: str, bgp_port: int) -> Any:
    """Import Ryu's manager, and make it refuse a module without an app, which it would ignore.

    Ryu patches threads only after it has set up logging, which makes eventlet complain; so they
    are patched here, first.
    """
    with quiet_import(), removed_names():
        import eventlet

        eventlet.monkey_patch()
        from ryu.cmd import manager

    load = manager.AppManager.load_app

    def load_app(self: Any, name: str) -> Any:
        found = load(self, name)
        if found is None:
            raise ControllerError(f"{name}: no class derived from ryu.base.app_manager.RyuApp")
        return found

    load_apps = manager.AppManager.load_apps

    def load_all(self: Any, names: Any) -> None:
        load_apps(self, names)
        complete_ovs()
        bgp.confine_speakers(host, bgp_port)

    close = manager.AppManager.close

    def close_in_peace(self: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        close(self)

    manager.AppManager.load_app = load_app
    manager.AppManager.load_apps = load_all
    manager.AppManager.close = close_in_peace
    return manager


@contextmanager
def _interrupting() -> Iterator[None]:
    """Let SIGINT and SIGTERM interrupt Ryu, except where one is ignored, as by ``nohup``.

    Green threads of Ryu and of apps have places that catch everything, so the main one is to be
    interrupted. One that keeps running keeps it from that, and is interrupted itself then.
    """
    import eventlet
    import greenlet

    hub, main_thread = eventlet.hubs.get_hub(), greenlet.getcurrent()

    def interrupt(number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, _INSIST_S)
        if number == signal.SIGALRM or greenlet.getcurrent() in (hub.greenlet, main_thread):
            raise KeyboardInterrupt
        hub.schedule_call_global(0, main_thread.throw, KeyboardInterrupt)

    with handled_by(interrupt, signal.SIGALRM):
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)  # before nobody handles it any more


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Ryu as the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="sdnvirt controller")
    parser.add_argument("apps", nargs="+", metavar="APP")
    parser.add_argument("--listen", default="127.0.0.1", metavar="HOST")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--topology", metavar="FILE")
    parser.add_argument("--bgp-port", type=int, default=bgp.DEFAULT_PORT)
    given = parser.parse_args(arguments)
    try:
        return run_controller(given.apps, given.listen, given.port, given.topology, given.bgp_port)
    except UserError as error:
        sys.stderr.write(f"sdnvirt: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
