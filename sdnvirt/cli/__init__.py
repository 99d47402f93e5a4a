"""The command line: ``sdnvirt run``, ``validate``, ``schema``, ``controller``.

Exit status: 0 when all went well and every check held, 1 when a check did not hold, 2 for what the
user got wrong, 130 after Ctrl-C. What is wrong is told in one line each, on standard error; a
traceback only with ``--debug``. Commands import what they need when they run, so that ``--help``
answers at once.
"""

from __future__ import annotations

import sys
import traceback
from typing import Final

import click

from sdnvirt import __version__
from sdnvirt.errors import SdnvirtError, TopologyError

FAILED: Final = 1
WRONG: Final = 2
INTERRUPTED: Final = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sdnvirt")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """A virtual data centre in one process: run topology files, with OpenFlow controller apps."""
    context.obj = debug


@cli.command()
@click.argument("file", type=click.Path())
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the run, instead of the file's.")
@click.option("--pcap", type=click.Path(), metavar="DIR", help="Write a pcapng file for each node.")
@click.option(
    "--controller", metavar="ADDRESS",
    help="tcp:HOST[:PORT] of a running controller, in place of the file's apps; or none.",
)  # fmt: skip
@click.option(
    "--json", "json_file", type=click.Path(), metavar="FILE",
    help="Write the report as JSON, too; - for standard output, in place of the text.",
)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Show what controller apps log.")
def run(
    file: str,
    seed: int | None,
    pcap: str | None,
    controller: str | None,
    json_file: str | None,
    verbose: bool,
) -> None:
    """Run a topology file: build it, boot it, play its timeline, make its checks."""
    from sdnvirt.cli.run import run_topology

    sys.exit(run_topology(file, seed, pcap, controller, json_file, verbose))


@cli.command()
@click.argument("files", type=click.Path(), nargs=-1, required=True)
def validate(files: tuple[str, ...]) -> None:
    """Say whether topology files are right, and all that is wrong with them."""
    from sdnvirt.cli.validate import validate_files

    sys.exit(validate_files(files))


@cli.command()
def schema() -> None:
    """Print the JSON schema of topology files, for editors."""
    import json

    from sdnvirt import topology

    click.echo(json.dumps(topology.json_schema(), indent=2))


@cli.command()
@click.argument("apps", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=6653, show_default=True,
              help="TCP port to listen at.")  # fmt: skip
@click.option("--topology", type=click.Path(), metavar="FILE",
              help="Topology file for apps that read one.")  # fmt: skip
def controller(apps: tuple[str, ...], host: str, port: int, topology: str | None) -> None:
    """Run Ryu apps as a controller of its own, for `sdnvirt run --controller tcp:...`."""
    from sdnvirt.control.launch import run_controller

    sys.exit(run_controller(apps, host, port, topology))


def main() -> None:
    """Run the command line and exit."""
    debug = "--debug" in sys.argv[1:]
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("sdnvirt: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing is to be flushed to it at exit.
        sys.stdout = None
        sys.exit(FAILED)
    except SdnvirtError as wrong:
        if debug:
            traceback.print_exc()
        lines = wrong.problems if isinstance(wrong, TopologyError) else [f"sdnvirt: {wrong}"]
        for line in lines:
            click.echo(line, err=True)
        sys.exit(WRONG)
