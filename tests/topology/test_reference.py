"""The reference is what the schema says now, and the schema describes every key."""

from __future__ import annotations

from sdnvirt import topology
from sdnvirt.topology.reference import TARGET, reference
from sdnvirt.topology.spec import TopologySpec


def test_the_reference_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == reference(), (
        "run: python -m sdnvirt.topology.reference"
    )


def test_every_model_and_key_is_described() -> None:
    schema = topology.json_schema()
    for name, model in {"TopologySpec": schema, **schema["$defs"]}.items():
        assert model["description"], name
        assert model["additionalProperties"] is False, name
        for key, described in model["properties"].items():
            assert described["description"].endswith("."), f"{name}.{key}"


def test_the_schema_has_all_keys_under_the_names_that_files_use() -> None:
    schema = topology.json_schema()
    assert set(schema["properties"]) == set(TopologySpec.model_fields)
    assert {"from", "to"} <= set(schema["$defs"]["PingSpec"]["properties"])
    assert schema["required"] == ["name"]
    assert schema["$defs"]["CheckSpec"]["properties"]["at"]["default"] == "2s"
