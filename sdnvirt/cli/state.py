"""``sdnvirt flows``, ``groups``, ``meters``, ``ports``: what OpenFlow switches hold."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from sdnvirt.errors import UserError
from sdnvirt.network.nodes import choices

Lines = list[str] | tuple[str, ...]

State = dict[str, Lines]
"""The lines of one kind (flows, groups, ...) for each switch."""


def print_state(kind: str, file: str, names: tuple[str, ...]) -> int:
    """Print what switches hold; return the exit status.

    Args:
        kind: ``flows``, ``groups``, ``meters`` or ``ports``.
        file: the JSON report of a run, or a topology file, which is then booted.
        names: the switches, or none for all.

    Raises:
        UserError: the file is wrong, or has no such switch.
    """
    state = _from_report(file, kind) if file.endswith(".json") else _from_topology(file, kind)
    for name in names:
        if name not in state:
            raise UserError(f"no OpenFlow switch {name!r} in {file}{choices(name, state)}")
    if not state:
        click.echo(f"sdnvirt: there is no OpenFlow switch in {file}", err=True)
    for name in names or state:
        click.echo(click.style(name, bold=True))
        for line in state[name]:
            click.echo(f" {line}")
    return 0


def _from_topology(file: str, kind: str) -> State:
    """Return the state of the switches of a network that is booted for it."""
    from sdnvirt.network.switch_state import states
    from sdnvirt.session import load

    with load(file) as network:
        found = states(network.plant.switches)
    return {name: asdict(state)[kind] for name, state in found.items()}


def _from_report(file: str, kind: str) -> State:
    expected = "expected the JSON report of a run, as of sdnvirt run FILE --json report.json"
    try:
        report: Any = json.loads(Path(file).read_bytes())
    except OSError as error:
        raise UserError(f"{file}: found no readable file ({error.strerror}), {expected}") from error
    except json.JSONDecodeError as error:
        place = f"{file}:{error.lineno}:{error.colno}"
        raise UserError(f"{place}: found broken JSON ({error.msg}), {expected}") from None
    except (UnicodeDecodeError, RecursionError):
        raise UserError(f"{file}: found no JSON, {expected}") from None
    switches = report.get("switches") if isinstance(report, dict) else None
    if not isinstance(switches, dict):
        raise UserError(f"{file}: found JSON without the key switches, {expected}")
    for name, state in switches.items():
        lines = state.get(kind) if isinstance(state, dict) else None
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise UserError(f"{file}: found no {kind} of the switch {name!r}, {expected}")
    return {name: state[kind] for name, state in switches.items()}
