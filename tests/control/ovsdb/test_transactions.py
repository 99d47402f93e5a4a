"""Operations on the tables (RFC 7047, 5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdnvirt.control.ovsdb.operations import OPERATIONS_LIMIT
from sdnvirt.control.ovsdb.values import STRING_LIMIT, UNLIMITED
from tests.control.ovsdb.client import Client

NO_UUID = "00000000-0000-0000-0000-000000000000"
MANY = ["map", [[str(number), ""] for number in range(UNLIMITED + 1)]]
NOTES = ["map", [["a", "1"], ["b", "2"]]]


def note(client: Client, *mutations: Any) -> Any:
    return client.transact(
        {"op": "mutate", "table": "Bridge", "where": [], "mutations": list(mutations)}
    )


def notes(client: Client) -> Any:
    ((found,),) = client.select("Bridge", "external_ids")
    return found


def failed(results: list[Any]) -> str:
    """Return the error of the last operation that was tried; those behind it are null."""
    done = [one for one in results if one is not None]
    assert results == done + [None] * (len(results) - len(done))
    return str(done[-1]["error"])


def test_conditions_choose_rows(client: Client) -> None:
    def names(*where: Any) -> list[str]:
        return [name for (name,) in client.select("Interface", "name", where=where)]

    assert names() == ["hv1", "vm1", "vx-hv2"]
    assert names(["name", "==", "vm1"]) == ["vm1"]
    assert names(["name", "!=", "vm1"]) == ["hv1", "vx-hv2"]
    assert names(["ofport", "<", 2]) == ["vm1"]
    assert names(["ofport", ">=", 2], ["type", "==", "vxlan"]) == ["vx-hv2"]
    assert names(["options", "includes", ["map", [["key", "flow"]]]]) == ["vx-hv2"]
    assert names(["options", "excludes", ["map", [["key", "flow"]]]]) == ["hv1", "vm1"]
    ((uuid,),) = client.select("Interface", "_uuid", where=[["name", "==", "vm1"]])
    assert names(["_uuid", "==", uuid]) == ["vm1"]


def test_notes_are_inserted_and_deleted(client: Client) -> None:
    assert note(client, ["external_ids", "insert", NOTES]) == [{"count": 1}]
    note(client, ["external_ids", "insert", ["map", [["a", "9"], ["c", "3"]]]])
    assert notes(client) == ["map", [["a", "1"], ["b", "2"], ["c", "3"]]]
    note(client, ["external_ids", "delete", ["set", ["a"]]])
    note(client, ["external_ids", "delete", ["map", [["b", "7"], ["c", "3"]]]])
    assert notes(client) == ["map", [["b", "2"]]]


@pytest.mark.parametrize(
    ("mutator", "operand", "result"),
    [("+=", 3, -4), ("-=", 3, -10), ("*=", 3, -21), ("/=", 2, -3), ("%=", 2, -1)],
)
def test_numbers_are_computed_as_in_c(
    client: Client, mutator: str, operand: int, result: int
) -> None:
    first = {"op": "update", "table": "Open_vSwitch", "where": [], "row": {"next_cfg": -7}}
    client.transact(
        first,
        {
            "op": "mutate", "table": "Open_vSwitch", "where": [],
            "mutations": [["next_cfg", mutator, operand]],
        },
    )  # fmt: skip
    assert client.select("Open_vSwitch", "next_cfg", "cur_cfg") == [(result, result)]


def test_a_transaction_that_fails_changes_nothing(client: Client) -> None:
    before = client.select("Bridge", "external_ids")
    results = client.transact(
        {"op": "update", "table": "Bridge", "where": [], "row": {"external_ids": NOTES}},
        {"op": "select", "table": "Bridge", "where": [], "columns": ["external_ids"]},
        {"op": "abort"},
        {"op": "comment", "comment": "not reached"},
    )
    assert results[:2] == [{"count": 1}, {"rows": [{"external_ids": NOTES}]}]
    assert failed(results) == "aborted"
    assert client.select("Bridge", "external_ids") == before


@pytest.mark.parametrize(
    ("until", "rows", "error"),
    [
        ("==", [{"name": "hv1"}], None),
        ("!=", [{"name": "other"}], None),
        ("==", [], "timed out"),
        ("!=", [{"name": "hv1"}], "timed out"),
    ],
)
def test_a_wait_is_for_rows_as_expected(
    client: Client, until: str, rows: list[Any], error: str | None
) -> None:
    wait = {
        "op": "wait", "table": "Bridge", "where": [], "columns": ["name"], "until": until,
        "rows": rows,
    }  # fmt: skip
    (result,) = client.transact({**wait, "timeout": 0})
    assert result.get("error") == error
    (result,) = client.transact(wait)
    assert result.get("error") == (error and "not supported")


SELECT = {"op": "select", "table": "Bridge", "where": []}
BRIDGE = {"op": "update", "table": "Bridge", "where": []}
MUTATE = {"op": "mutate", "table": "Open_vSwitch", "where": []}


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (7, "syntax error"),
        ({"op": "steal"}, "syntax error"),
        ({"op": ["select"]}, "syntax error"),
        ({"op": "select", "table": "Mirror", "where": []}, "unknown table"),
        ({"op": "select", "table": ["Bridge"], "where": []}, "unknown table"),
        ({"op": "select", "table": "Bridge"}, "syntax error"),
        ({**SELECT, "where": ["name"]}, "syntax error"),
        ({**SELECT, "where": [["nome", "==", 1]]}, "syntax error"),
        ({**SELECT, "where": [[["name"], "==", 1]]}, "syntax error"),
        ({**SELECT, "where": [["name", "~", "a"]]}, "syntax error"),
        ({**SELECT, "where": [["name", {}, "a"]]}, "syntax error"),
        ({**SELECT, "where": [["name", "<", "a"]]}, "syntax error"),
        ({**SELECT, "where": [["name", "==", 7]]}, "syntax error"),
        ({**SELECT, "where": [["_uuid", "==", ["uuid", "x" * 36]]]}, "syntax error"),
        ({**SELECT, "where": [["_uuid", "==", ["named-uuid", "x"]]]}, "syntax error"),
        ({**SELECT, "columns": [["name"]]}, "syntax error"),
        ({**SELECT, "columns": "name"}, "syntax error"),
        (BRIDGE, "syntax error"),
        ({**BRIDGE, "row": {"name": "other"}}, "constraint violation"),
        ({**BRIDGE, "row": {"datapath_id": "1"}}, "constraint violation"),
        ({**BRIDGE, "row": {"_uuid": ["uuid", NO_UUID]}}, "syntax error"),
        ({**BRIDGE, "row": {"external_ids": ["map", [["a", "1"], ["a", "2"]]]}}, "syntax error"),
        ({**BRIDGE, "row": {"external_ids": ["map", [["a"]]]}}, "syntax error"),
        ({**BRIDGE, "row": {"external_ids": ["map", {}]}}, "syntax error"),
        ({**BRIDGE, "row": {"external_ids": "a"}}, "syntax error"),
        (
            {**BRIDGE, "row": {"external_ids": ["map", [["a", "x" * (STRING_LIMIT + 1)]]]}},
            "constraint violation",
        ),
        ({**BRIDGE, "row": {"external_ids": MANY}}, "constraint violation"),
        ({**BRIDGE, "row": {"ports": ["uuid", NO_UUID]}}, "referential integrity violation"),
        ({"op": "delete", "table": "Bridge", "where": []}, "referential integrity violation"),
        ({"op": "delete", "table": "Open_vSwitch", "where": []}, "not supported"),
        ({"op": "insert", "table": "Open_vSwitch", "row": {}}, "constraint violation"),
        ({"op": "insert", "table": "Bridge", "row": 7}, "syntax error"),
        ({**MUTATE, "mutations": [["next_cfg", "/=", 0]]}, "domain error"),
        ({**MUTATE, "mutations": [["next_cfg", "+=", 1 << 63]]}, "syntax error"),
        (
            {**MUTATE, "mutations": [["next_cfg", "+=", (1 << 63) - 1], ["next_cfg", "+=", 1]]},
            "range error",
        ),
        ({**MUTATE, "mutations": [["next_cfg", "^=", 1]]}, "syntax error"),
        ({**MUTATE, "mutations": [["next_cfg", [], 1]]}, "syntax error"),
        ({**MUTATE, "mutations": [["cur_cfg", "+=", 1]]}, "constraint violation"),
        ({**MUTATE, "mutations": [["external_ids", "+=", 1]]}, "syntax error"),
        ({**MUTATE, "mutations": [7]}, "syntax error"),
        ({"op": "wait", "table": "Bridge", "where": [], "until": "<", "rows": []}, "syntax error"),
        ({"op": "commit", "durable": True}, "not supported"),
        ({"op": "comment", "comment": 7}, "syntax error"),
        ({"op": "assert", "lock": "mine"}, "not owner"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_done_is_refused(client: Client, operation: Any, error: str) -> None:
    tables = ("Open_vSwitch", "Bridge", "Port", "Interface")
    before = [client.transact({"op": "select", "table": one, "where": []}) for one in tables]
    assert failed(client.transact(operation)) == error
    after = [client.transact({"op": "select", "table": one, "where": []}) for one in tables]
    assert after == before


def test_names_of_rows_are_known_before_they_are_inserted_and_only_once(client: Client) -> None:
    twice = {"op": "insert", "table": "Interface", "uuid-name": "i", "row": {"name": "x"}}
    assert failed(client.transact(twice, twice)) == "duplicate uuid-name"


def test_work_is_bounded(client: Client) -> None:
    comment = {"op": "comment", "comment": ""}
    assert failed(client.transact(*[comment] * (OPERATIONS_LIMIT + 1))) == "resources exhausted"
    clause = ["name", "!=", "x"]
    heavy = {"op": "select", "table": "Interface", "where": [clause] * 1000}
    assert failed(client.transact(*[heavy] * 100)) == "resources exhausted"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["name", "_uuid", "ports", "external_ids", "next_cfg", "==", "<", "+=",
                       "includes", "insert", "delete", "set", "map", "uuid", "named-uuid", "i"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["name", "ports", "external_ids", "type", "options", "interfaces"]),
        inner, max_size=3),
    max_leaves=12,
)  # fmt: skip
operations = st.fixed_dictionaries(
    {
        "op": st.sampled_from(
            ["insert", "select", "update", "mutate", "delete", "wait", "commit", "comment"]
        )
    },
    optional={
        "table": st.sampled_from(["Bridge", "Port", "Interface", "Open_vSwitch", "QoS"]),
        "where": st.just([]) | json_values,
        "row": json_values,
        "rows": json_values,
        "columns": json_values,
        "mutations": json_values,
        "until": json_values,
        "timeout": json_values,
        "uuid-name": json_values,
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.lists(operations, max_size=4))
def test_whatever_is_asked_is_answered(client: Client, asked: list[Any]) -> None:
    results = client.transact(*asked)
    assert isinstance(results, list)
    assert len(results) in (len(asked), len(asked) + 1)
    assert [name for (name,) in client.select("Bridge", "name")] == ["hv1"]
