"""``sdnvirt flows``, ``groups``, ``meters``, ``ports``: what OpenFlow switches hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sdnvirt.errors import UserError
from sdnvirt.network.nodes import nearest

State = dict[str, dict[str, list[str]]]
"""The lines of each kind (flows, groups, ...) for each switch."""


def print_state(kind: str, file: str, names: tuple[str, ...]) -> int:
    """Print what switches hold; return the exit status.

    Args:
        kind: ``flows``, ``groups``, ``meters`` or ``ports``.
        file: the JSON report of a run, or a topology file, which is then booted.
        names: the switches, or none for all.

    Raises:
        UserError: the file is wrong, or has no such switch.
    """
    state = _read(file)
    for name in names:
        if name not in state:
            raise UserError(f"no OpenFlow switch {name!r} in {file}{nearest(name, state)}")
    for name in names or state:
        click.echo(click.style(name, bold=True))
        for line in state[name][kind]:
            click.echo(f" {line}")
    return 0


def _read(file: str) -> State:
    """Return the state of the switches from a report, or of a network that is booted for it."""
    if file.endswith(".json"):
        return _from_report(file)
    from sdnvirt.network.switch_state import states
    from sdnvirt.session import load

    with load(file) as network:
        found = states(network.plant.switches)
    return {
        name: {
            "flows": list(state.flows),
            "groups": list(state.groups),
            "meters": list(state.meters),
            "ports": list(state.ports),
        }
        for name, state in found.items()
    }


def _from_report(file: str) -> State:
    try:
        report: Any = json.loads(Path(file).read_text(encoding="utf-8"))
        state: State = report["switches"]
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{file}: not the JSON report of a run") from None
    return state
