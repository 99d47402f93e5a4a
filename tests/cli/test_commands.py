"""The small commands, and the help of all."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from sdnvirt import __version__
from sdnvirt.cli import cli

Run = Callable[..., Any]

ROOT = Path(__file__).parents[2]
TOPOLOGIES = sorted((ROOT / "topologies").glob("*.yaml"))


def test_version(sdnvirt: Run) -> None:
    assert sdnvirt("--version").out == f"sdnvirt, version {__version__}\n"


def test_help_imports_next_to_nothing(sdnvirt: Run) -> None:
    """So that it answers at once."""
    program = (
        "import sys, sdnvirt.cli\n"
        "try: sdnvirt.cli.main()\n"
        "except SystemExit as end: print(end.code, *sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = sdnvirt("--help", command=[sys.executable, "-c", program])
    status, *modules = done.err.splitlines()
    assert status == "0"
    heavy = {"eventlet", "networkx", "pydantic", "rich", "ryu", "scapy", "yaml"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in modules)
    own = {name for name in modules if name.startswith("sdnvirt.")}
    assert own == {
        f"sdnvirt.{name}" for name in ("cli", "cli.signals", "cli.status", "errors", "signals")
    }


@pytest.mark.parametrize("name", cli.commands)
def test_each_command_has_an_example_and_explains_its_options(name: str) -> None:
    command = cli.commands[name]
    assert command.epilog is not None
    assert command.epilog.startswith(f"Example: sdnvirt {name} ")
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help is not None, option.name
            assert option.help.endswith("."), option.name


def test_all_shipped_topologies_are_valid(sdnvirt: Run) -> None:
    done = sdnvirt("validate", *TOPOLOGIES)
    assert (done.status, done.err) == (0, "")
    for line, file in zip(done.out.splitlines(), TOPOLOGIES, strict=True):
        assert re.fullmatch(rf"{file}: ok, \d+ nodes, \d+ links, \d+ checks", line)


def test_the_schema_is_one_that_editors_understand(sdnvirt: Run) -> None:
    done = sdnvirt("schema")
    assert (done.status, done.err) == (0, "")
    schema = json.loads(done.out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    references = re.findall(r'"\$ref": "([^"]+)"', done.out)
    assert references
    for reference in references:
        assert reference.removeprefix("#/$defs/") in schema["$defs"]
