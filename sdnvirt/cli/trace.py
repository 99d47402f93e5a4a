"""``sdnvirt trace``: one packet through the whole network, with the reasons of every device."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from sdnvirt.cli.status import FAILED
from sdnvirt.errors import UserError
from sdnvirt.network.network import Network
from sdnvirt.network.nodes import HostNode
from sdnvirt.network.trace import trace
from sdnvirt.session import load


def trace_packet(
    file: str,
    source: str,
    target: str,
    *,
    udp: int | None,
    at: str | None,
    seed: int | None,
    as_json: bool,
) -> int:
    """Print how a packet fares; return the exit status: 1 if nothing came back.

    Args:
        file: a topology file.
        source: the host that sends.
        target: the host that is addressed.
        udp: destination port of a datagram, or None for an echo request.
        at: virtual time at which it is sent; by default when the network has booted.
        seed: instead of the file's, or None.
        as_json: whether to print JSON instead of text.

    Raises:
        UserError: the file, a name or the time is wrong.
    """
    with load(file, seed=seed) as network:
        ends = _host(network, source), _host(network, target)
        if source == target:
            raise UserError(f"nothing leaves {source} for itself; name two nodes")
        if at is not None:
            network.run_until(at)
        found = trace(network, *ends, udp)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
    else:
        click.echo(f"{found.text()}\n\n{found.verdict}")
    return 0 if found.answered else FAILED


def _host(network: Network, name: str) -> HostNode:
    node = network[name]
    if not isinstance(node, HostNode):
        raise UserError(f"{name} sends no packets of its own; name a host, VM or function")
    return node
