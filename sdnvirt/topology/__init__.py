"""Topology: from a file to a frozen description of a virtual data centre; no live objects.

The steps, one module each: ``document`` (YAML with positions), ``validation`` against ``spec`` and
``fields`` (the file form), ``resolve`` (``inventory``, ``plant``, ``tenancy``, ``scenario``), and
``resolved`` (the result). ``problems`` collects what is wrong on the way.

Controller apps may use this package and nothing else of sdnvirt, so it offers the ways in itself.
"""

from __future__ import annotations

from sdnvirt.topology.loader import from_dict, json_schema, load, loads
from sdnvirt.topology.resolved import Topology

__all__ = ["Topology", "from_dict", "json_schema", "load", "loads"]
