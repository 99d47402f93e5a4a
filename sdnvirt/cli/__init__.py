"""The command line: ``sdnvirt run``, ``validate``, ``trace``, ``flows`` and the others.

Commands import what they need when they run, so that ``--help`` answers at once. What is wrong is
told in one line each, on standard error; a traceback only with ``--debug``. The exit statuses are
in :mod:`sdnvirt.cli.status`, and explained in docs/cli.md.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any, Final, NoReturn

import click

from sdnvirt import __version__
from sdnvirt.cli.signals import end_at_once
from sdnvirt.cli.status import BUG, INTERRUPTED, PIPE_CLOSED, WRONG
from sdnvirt.errors import SdnvirtError, TopologyError
from sdnvirt.signals import handled_by

DEFAULT_PORT: Final = 6653
"""OpenFlow's port, assigned by IANA (OpenFlow 1.3.5, 6.2)."""

BGP_PORT: Final = 179
"""BGP's port, assigned by IANA (RFC 4271, 4.2)."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""How writing to standard output fails when it is a file."""


@dataclass(slots=True)
class Settings:
    """What options that every command has say."""

    debug: bool = False


def _set_debug(context: click.Context, _option: click.Parameter, given: bool) -> None:
    context.obj.debug |= given


_debug: Final = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_set_debug,
    help="Show tracebacks of errors.",
)  # fmt: skip


class _File(click.Path):
    """The name of a file or folder; click would take an empty one for the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name."""
        if not value:
            self.fail("an empty name.", param, ctx)
        return super().convert(value, param, ctx)


class _Whole(click.IntRange):
    """A whole number in a range."""

    name = "whole number"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: sdnvirt run topologies/quickstart.yaml. Exit status: 0 when all went well, "
    "1 when a check failed, 2 when something that was given is wrong, 130 after Ctrl-C.",
)
@click.version_option(__version__, prog_name="sdnvirt")
@_debug
def cli() -> None:
    """A virtual data centre in one process: run topology files, with OpenFlow controller apps."""


@cli.command(
    short_help="Run a topology file and make its checks.",
    epilog="Example: sdnvirt run topologies/quickstart.yaml --pcap captures",
)
@click.argument("file", type=_File())
@click.option("--seed", type=_Whole(min=0), metavar="NUMBER",
              help="Seed of everything random, instead of the file's.")  # fmt: skip
@click.option("--pcap", type=_File(), metavar="DIR",
              help="Write what each node sends and receives to DIR/NODE.pcapng.")  # fmt: skip
@click.option(
    "--controller", metavar="CONTROLLER", default="topology",
    help="In place of the file's apps: tcp:HOST[:PORT] or ssl:HOST[:PORT] of a running controller, "
    "per-hypervisor[:PORT] for one at the address of each hypervisor, a Ryu app to embed (file or "
    "module), or none.",
)  # fmt: skip
@click.option("--listen", type=_Whole(1, 65535), metavar="PORT",
              help="Let OpenFlow switches listen at 127.0.0.1 from this port on, in the file's "
              "order, for tools such as ovs-ofctl; then the run takes real time.")  # fmt: skip
@click.option("--private-key", type=_File(), metavar="PEM",
              help="The switches' key, for ssl: and for listening with TLS.")  # fmt: skip
@click.option("--certificate", type=_File(), metavar="PEM",
              help="The switches' certificate.")  # fmt: skip
@click.option("--ca-cert", type=_File(), metavar="PEM",
              help="Of the CA that signed the other side's certificate.")  # fmt: skip
@click.option(
    "--json", "json_file", type=_File(), metavar="FILE",
    help="Write the report as JSON, too; - for standard output, in place of the text.",
)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Show all that embedded apps log.")
@_debug
def run(**options: Any) -> int:
    """Run a topology FILE: build it, boot it, play its timeline, make its checks.

    Prints a report. Ctrl-C ends the run with the report so far. With a running controller, the run
    takes real time, else only as long as the machine needs.
    """
    from sdnvirt.cli.run import run_topology

    return run_topology(**options)


@cli.command(
    short_help="Say whether topology files are right.",
    epilog="Example: sdnvirt validate topologies/*.yaml",
)
@click.argument("files", type=_File(), nargs=-1, required=True)
@_debug
def validate(files: tuple[str, ...]) -> int:
    """Say whether topology FILES are right, and all that is wrong with them."""
    from sdnvirt.cli.validate import validate_files

    return validate_files(files)


@cli.command(epilog="Example: sdnvirt schema > topology.schema.json")
@_debug
def schema() -> int:
    """Print the JSON schema of topology files, for editors."""
    import json

    from sdnvirt import topology

    click.echo(json.dumps(topology.json_schema(), indent=2))
    return 0


@cli.command(
    short_help="Follow a packet, with every device's reasons.",
    epilog="Example: sdnvirt trace topologies/quickstart.yaml acme-a acme-b --udp 53",
)
@click.argument("file", type=_File())
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--udp", type=_Whole(1, 65535), metavar="PORT",
              help="Send a UDP datagram to this port, instead of an echo request.")  # fmt: skip
@click.option("--at", metavar="TIME",
              help="Virtual time to send it, as 5s; by default once booted.")  # fmt: skip
@click.option("--seed", type=_Whole(min=0), metavar="NUMBER",
              help="Seed of everything random, instead of the file's.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@_debug
def trace(file: str, source: str, target: str, **options: Any) -> int:
    """Boot a topology FILE, send a packet FROM one host TO another, and follow it.

    Tells, for every device on the way, what it was given, what it did and why, tunnels included;
    then the same of what answers. The exit status is 1 if nothing came back.
    """
    from sdnvirt.cli.trace import trace_packet

    return trace_packet(file, source, target, **options)


def _state_command(kind: str, what: str) -> None:
    """Add one of the commands that print what OpenFlow switches hold."""

    @cli.command(
        kind,
        help=f"Print the {what} of OpenFlow switches, as ovs-ofctl does.\n\n"
        "FILE is the JSON report of a run, which tells how things were at its end, or a topology, "
        "which is booted for it. Without SWITCH, all switches are told.",
        short_help=f"Print the {what} of OpenFlow switches.",
        epilog=f"Example: sdnvirt {kind} report.json s1, after sdnvirt run FILE --json report.json",
    )
    @click.argument("file", type=_File())
    @click.argument("switches", nargs=-1, metavar="[SWITCH]...")
    @_debug
    def _print(file: str, switches: tuple[str, ...]) -> int:
        from sdnvirt.cli.state import print_state

        return print_state(kind, file, switches)


_state_command("flows", "flow entries")
_state_command("groups", "groups")
_state_command("meters", "meters")
_state_command("ports", "ports")


@cli.command(
    short_help="Run Ryu apps as a controller of its own.",
    epilog="Example: sdnvirt controller controllers/learning_switch.py, and in another terminal: "
    "sdnvirt run topologies/learning-switch.yaml --controller tcp:127.0.0.1:6653",
)
@click.argument("apps", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=_Whole(1, 65535), default=DEFAULT_PORT, show_default=True,
              metavar="PORT", help="TCP port to listen at.")  # fmt: skip
@click.option("--topology", type=_File(), metavar="FILE",
              help="Topology file for apps that read one.")  # fmt: skip
@click.option("--bgp-port", type=click.IntRange(1, 65535), default=BGP_PORT, show_default=True,
              metavar="PORT", help="TCP port of BGP, for apps that speak it; below 1024 it takes "
              "privileges to listen.")  # fmt: skip
@_debug
def controller(
    apps: tuple[str, ...], host: str, port: int, topology: str | None, bgp_port: int
) -> int:
    """Run Ryu APPS (files or modules) as a controller of its own, until Ctrl-C or SIGTERM.

    Networks connect to it with `sdnvirt run FILE --controller tcp:HOST:PORT`, and so can any
    OpenFlow 1.3 switch.
    """
    from sdnvirt.control.launch import run_controller

    if topology is not None and not os.path.isfile(topology):
        raise TopologyError([f"{topology}: found no such file, expected a topology file"])
    with handled_by(signal.default_int_handler):  # to end a server is no failure
        return run_controller(apps, host, port, topology, bgp_port)


def main() -> NoReturn:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may lack letters
    with handled_by(end_at_once):
        status = _status(Settings())
    sys.exit(status)


def _status(settings: Settings) -> int:
    """Run the command line, tell what goes wrong, and return the exit status."""
    try:
        status = _run(settings)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        with suppress(OSError):
            wrong.show()
        return wrong.exit_code
    except KeyboardInterrupt:
        _tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return PIPE_CLOSED
    except Exception as error:
        if settings.debug:
            traceback.print_exc()
        return _blame(error)


def _run(settings: Settings) -> int:
    # Not cli.main(), which would take a closed pipe for a failed check.
    with cli.make_context("sdnvirt", sys.argv[1:], obj=settings) as context:
        status: int = cli.invoke(context)
        return status


def _blame(error: Exception) -> int:
    """Tell what went wrong, a line for each mistake; return the exit status."""
    if isinstance(error, TopologyError):
        _print_error(str(error))  # each line begins with its place in the file
        return WRONG
    if isinstance(error, SdnvirtError):
        _tell(str(error))
        return WRONG
    if isinstance(error, OSError) and error.filename is None and error.errno in _FULL:
        _discard_output()
        _tell(f"cannot write to standard output: {error.strerror}")
        return WRONG
    text = " ".join(f"{type(error).__name__}: {error}".split())
    _tell(f"{text}; this is a bug of sdnvirt, and --debug shows where")
    return BUG


def _tell(text: str) -> None:
    _print_error(f"sdnvirt: {text}")


def _print_error(text: str) -> None:
    with suppress(OSError):  # the status tells, even where nobody can read why
        click.echo(text, err=True)


def _discard_output() -> None:
    """Send what still waits to be printed nowhere, or Python would complain of it at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
