"""``sdnvirt validate``: is a topology file right?"""

from __future__ import annotations

import click

from sdnvirt import topology
from sdnvirt.errors import TopologyError


def validate_files(files: tuple[str, ...]) -> int:
    """Say of each file what it describes, or all that is wrong; return the exit status."""
    wrong = 0
    for file in files:
        try:
            found = topology.load(file)
        except TopologyError as error:
            wrong += len(error.problems)
            for line in error.problems:
                click.echo(line, err=True)
        else:
            nodes, links, checks = len(found.nodes), len(found.links), len(found.checks)
            click.echo(f"{file}: {nodes} nodes, {links} links, {checks} checks")
    return 2 if wrong else 0
