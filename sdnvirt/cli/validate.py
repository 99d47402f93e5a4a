"""``sdnvirt validate``: is a topology file right?"""

from __future__ import annotations

import click

from sdnvirt import topology
from sdnvirt.cli.status import WRONG
from sdnvirt.errors import TopologyError


def validate_files(files: tuple[str, ...]) -> int:
    """Say of each file what it describes, or all that is wrong; return the exit status."""
    status = 0
    for file in files:
        try:
            found = topology.load(file)
        except TopologyError as error:
            status = WRONG
            click.echo(str(error), err=True)
        else:
            counts = {"node": found.nodes, "link": found.links, "check": found.checks}
            told = (f"{len(all_)} {kind}{'s' * (len(all_) != 1)}" for kind, all_ in counts.items())
            click.echo(f"{file}: ok, {', '.join(told)}")
    return status
