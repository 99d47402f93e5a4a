"""The reference of topology files, ``docs/topology.md``, made from their JSON schema.

``python -m sdnvirt.topology.reference`` writes it anew; a test tells when that is due.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from sdnvirt.topology.document import MAX_BYTES, MAX_DEPTH
from sdnvirt.topology.generators import MAX_EDGES
from sdnvirt.topology.hosts import MAX_PARTS
from sdnvirt.topology.loader import json_schema
from sdnvirt.topology.names import MAX_NODES, NAME_MAX
from sdnvirt.topology.plant import MAX_HYPERVISORS
from sdnvirt.topology.wiring import MAX_LINKS

TARGET: Final = Path(__file__).parents[2] / "docs" / "topology.md"

_TITLES: Final = {
    "VmSpec": "VM",
    "DhcpSpec": "DHCP",
    "GraphmlSpec": "GraphML",
    "VlanInterfaceSpec": "VLAN interface",
}

_INTRODUCTION: Final = f"""\
# Topology files

<!-- Made by `python -m sdnvirt.topology.reference`; change the descriptions in
     sdnvirt/topology/spec.py and run it again. -->

A topology file describes a virtual data centre in YAML: its nodes and links, what happens to them,
and what must hold. [`topologies/`](../topologies/README.md) holds examples. `sdnvirt validate FILE`
checks a file without running it, and `sdnvirt schema` prints the JSON schema that editors
understand.

## How values are written

- **Names** of nodes, tenants and networks are lowercase letters, digits and single hyphens, at most
  {NAME_MAX} characters, first a letter. `--` separates the nodes in the name of a link. Every node
  has a name of its own, whatever its kind.
- **Ranges**: `hv[1-4]` as a key stands for hv1, hv2, hv3 and hv4; `h[01-10]` pads with zeros. A
  range in a value is gone through in step with the names of the key, and again from its start when
  it is shorter. Inside `{{}}` or `[]`, other YAML tools need quotes around it; sdnvirt does not.
- **Links** are named by their nodes, `leaf1--spine1`, in either order; the second one between the
  same nodes is `leaf1--spine1#2`.
- **Interfaces** of a host and ports are named by the node at the other end of their link, and one
  on VLAN 5 of that is `s1.5`; the second one to the same node is `s1#2`.
- **Quantities** have units: `5us`, `10Gbit/s`, `512KiB`, `1%`. Only 0 needs none.
- **Text** may look like anything: `no`, `on` and `02:00:00:00:00:01` are text, not booleans or
  numbers. `true`, `false`, `null` and integers (also `0x1f`) are what they seem.
- YAML's anchors, aliases and tags are refused, and so are keys that occur twice.

## Numbers and addresses that are given out

- Ports of a node count from 1 in the order of its links: generated links first (the underlay's,
  then the hypervisors', then the fabric's), then `links`.
- VMs are the first ports of their hypervisor's virtual switch, in file order; network functions
  follow. The tunnel to the j-th hypervisor of the file is port 65536 + j.
- Datapath ids count from 1 over OpenFlow switches, then hypervisors, past those that are given.
- VMs have addresses from the start: those given, or the first free ones of their subnet after .9
  (in subnets smaller than /28, after .2). DHCP hands out just these. A DHCP server has the first
  free one from .2.
- Default MAC addresses are locally administered and begin with `0a`.

## Mistakes

All mistakes are reported at once: first those of YAML, then those of single values, then those of
generated shapes, then those of how the parts fit together. Each is one line:

```
FILE:LINE:COLUMN: where.in.the.file: found VALUE, expected WHAT; did you mean NAME?
```

## Limits

| what | at most | because |
|---|---|---|
| nodes | {MAX_NODES:,} | twice the largest size that is measured |
| links | {MAX_LINKS:,} | a few ranges can ask for very many |
| nodes and links of one generated shape | {MAX_NODES:,} and {MAX_EDGES:,} | the same |
| interfaces, addresses and routes of hosts | {MAX_PARTS:,} | the same |
| hypervisors | {MAX_HYPERVISORS} | each has a tunnel to each other one |
| size of a file | {MAX_BYTES >> 20} MiB | enough for {MAX_NODES:,} nodes written out |
| levels of nesting | {MAX_DEPTH} | no valid file needs half of it |

"""


def reference() -> str:
    """Return the reference as Markdown."""
    schema = json_schema()
    models: dict[str, Any] = {"TopologySpec": schema, **schema["$defs"]}
    sections = [_section(name, models[name]) for name in _in_reading_order(models)]
    return _INTRODUCTION + "\n".join(sections)


def _in_reading_order(models: dict[str, Any]) -> list[str]:
    """Return the models' names, each after the one that first refers to it."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        order.append(name)
        for described in models[name]["properties"].values():
            for inner in _references(described):
                visit(inner)

    visit("TopologySpec")
    return order


def _references(described: Any) -> list[str]:
    """Return the models that a property's schema refers to, in order."""
    if isinstance(described, list):
        return [name for item in described for name in _references(item)]
    if not isinstance(described, dict):
        return []
    own = [described["$ref"].rsplit("/", 1)[-1]] if "$ref" in described else []
    return own + [name for item in described.values() for name in _references(item)]


def _section(name: str, model: dict[str, Any]) -> str:
    required = model.get("required", [])
    lines = [f"## {_title(name)}", "", _prose(model["description"]), ""]
    lines += ["| key | value | meaning |", "|---|---|---|"]
    for key, described in model["properties"].items():
        meaning = _prose(described["description"])
        default = described.get("default")
        if key in required:
            meaning += " Required."
        elif default not in (None, {}, [], "") and "Default:" not in meaning:
            shown = str(default).lower() if isinstance(default, bool) else default
            meaning += f" Default: {shown}."
        lines.append(f"| `{key}` | {_kind(described)} | {meaning} |")
    return "\n".join([*lines, ""])


def _kind(described: dict[str, Any]) -> str:
    """Return what a value may be, in a few words, with links to the models it may be."""
    if "$ref" in described:
        title = _title(described["$ref"].rsplit("/", 1)[-1])
        return f"[{title}](#{title.lower().replace(' ', '-')})"
    if "anyOf" in described:
        kinds = [_kind(option) for option in described["anyOf"] if option.get("type") != "null"]
        return " or ".join(kinds)
    if described.get("type") == "object":
        inner = described.get("additionalProperties") or next(
            iter(described["patternProperties"].values())
        )
        return f"names, each {_kind(inner)}"
    if described.get("type") == "array" and described["items"].keys() & {"$ref", "title"}:
        return f"list of {_kind(described['items'])}"
    if described.get("const") is True:
        return "true"
    if described.get("type") == "boolean":
        return "true or false"
    if "title" not in described:  # where pydantic leaves it out
        return str(described["description"]).removeprefix("Expected: ").removesuffix(".")
    return str(described["title"])


def _title(model: str) -> str:
    if model in _TITLES:
        return _TITLES[model]
    words = re.findall(r"[A-Z][a-z]*", model.removesuffix("Spec"))
    return " ".join([words[0], *map(str.lower, words[1:])])


def _prose(text: str) -> str:
    """Return a docstring as one paragraph of Markdown for each of its own."""
    paragraphs = text.replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
