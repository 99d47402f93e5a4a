"""Every shipped topology loads, and is listed in the index."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import yaml

from sdnvirt import topology
from sdnvirt.topology.checks import PingCheck

FILES = sorted(path.name for path in (Path(__file__).parents[2] / "topologies").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES)
def test_it_loads_and_says_what_it_shows(shipped: Path, file: str) -> None:
    loaded = topology.load(shipped / file)
    assert loaded.name == Path(file).stem
    assert loaded.description.endswith(".")
    assert loaded.checks


@pytest.mark.parametrize("file", FILES)
def test_it_is_plain_yaml_for_other_tools_too(shipped: Path, file: str) -> None:
    """A range inside {} or [] is quoted, so that editors with the schema can read the file."""
    written = yaml.safe_load((shipped / file).read_text())
    schema = topology.json_schema()
    _assert_known_keys(written, schema, schema["$defs"])


def _assert_known_keys(value: Any, schema: dict[str, Any], models: dict[str, Any]) -> None:
    if isinstance(value, list):
        for item in value:
            _assert_known_keys(item, schema.get("items", {}), models)
    if not isinstance(value, dict):
        return
    options = [schema, *schema.get("anyOf", [])]
    refs = [option["$ref"].rsplit("/", 1)[-1] for option in options if "$ref" in option]
    model = models[refs[0]] if refs else schema
    for key, inner in value.items():
        known = model.get("properties", {}).get(key)
        if known is None:
            patterns = model.get("patternProperties") or {"": model["additionalProperties"]}
            known = next(iter(patterns.values()))
        assert isinstance(known, dict), key
        _assert_known_keys(inner, known, models)


def test_the_index_lists_each() -> None:
    index = (Path(__file__).parents[2] / "topologies" / "README.md").read_text()
    assert [file for file in FILES if f"({file})" not in index] == []


def test_quickstart_is_the_data_centre_it_promises(shipped: Path) -> None:
    quickstart = topology.load(shipped / "quickstart.yaml")
    assert [router.name for router in quickstart.routers] == ["spine1", "spine2", "leaf1", "leaf2"]
    assert [h.attach for h in quickstart.hypervisors] == ["leaf1", "leaf2", "leaf1", "leaf2"]
    assert len(list(nx.all_shortest_paths(quickstart.underlay(), "hv1", "hv2"))) == 2
    assert all(network.vni > 1 << 16 and network.dhcp for network in quickstart.networks)
    by_owner = {vnic.owner: (vnic.mac, vnic.address) for vnic in quickstart.vnics}
    assert by_owner["acme-a"] == by_owner["globex-a"]
    assert by_owner["acme-b"] == by_owner["globex-b"]
    across = [
        check
        for check in quickstart.checks
        if isinstance(check, PingCheck) and (check.source, check.node) == ("acme-a", "globex-b")
    ]
    assert [check.expect.value for check in across] == ["unreachable"]
    (down,) = quickstart.timeline
    assert down.link == "leaf1--spine1"
    assert any(isinstance(check, PingCheck) and check.via for check in quickstart.checks)


def test_resolving_does_not_depend_on_the_hash_seed(shipped: Path) -> None:
    program = (
        "import sys; from sdnvirt import topology\n"
        "for file in sys.argv[1:]: print(repr(topology.load(file)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, *(str(shipped / file) for file in FILES)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(outputs) == 1
