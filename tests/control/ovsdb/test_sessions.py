"""Requests of one client, and what it is told of the others' (RFC 7047, 4.1)."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.control.ovsdb.session import MONITORS_LIMIT
from tests.control.ovsdb.client import Client

DB = "Open_vSwitch"
ALL: dict[str, Any] = {
    "Interface": {"columns": ["name", "ofport"]},
    DB: [{"columns": ["cur_cfg"]}],
}


def test_the_database_and_its_schema_are_told(client: Client) -> None:
    assert client.ask("list_dbs") == [DB]
    schema = client.ask("get_schema", DB)
    assert schema["name"] == DB
    assert schema["tables"]["Interface"]["columns"]["name"] == {"type": "string", "mutable": False}
    assert client.ask("get_schema", "_Server")["error"] == "unknown database"


def test_an_echo_comes_back_and_an_unknown_method_does_not(client: Client) -> None:
    assert client.ask("echo", 1, ["two"]) == [1, ["two"]]
    # Clients of Open vSwitch compare with this string, and use the RFC's monitor then.
    assert client.ask("monitor_cond_since", DB, None, {}) == "unknown method"


def test_answers_and_notifications_are_not_answered(client: Client) -> None:
    client.session.feed(b'{"id": 3, "result": [], "error": null}')
    client.session.feed(b'{"id": null, "method": "cancel", "params": [7]}')
    client.session.feed(b'{"method": "transact", "params": 7}')
    assert client.heard == []


def test_a_monitor_tells_what_there_is(client: Client) -> None:
    told = client.ask("monitor", DB, "m", ALL)
    assert sorted(one["new"]["name"] for one in told["Interface"].values()) == [
        "hv1", "vm1", "vx-hv2"
    ]  # fmt: skip
    assert [one["new"] for one in told[DB].values()] == [{"cur_cfg": 0}]


def test_changes_are_told_before_the_answer_and_in_their_order(client: Client) -> None:
    client.ask("monitor", DB, ["m", 1], ALL)
    result = client.add_interface("vx9", {"remote_ip": "172.16.0.2", "key": "9"})
    uuid = result[0]["uuid"][1]
    inserted, done = client.heard
    assert inserted["params"] == [
        ["m", 1], {"Interface": {uuid: {"new": {"name": "vx9", "ofport": ["set", []]}}}}
    ]  # fmt: skip
    update = done["params"][1]["Interface"][uuid]
    assert update["old"] == {"ofport": ["set", []]}
    assert (update["new"]["name"], done["params"][1][DB].popitem()[1]) == (
        "vx9", {"old": {"cur_cfg": 0}, "new": {"cur_cfg": 1}}
    )  # fmt: skip


def test_each_client_hears_of_the_columns_it_monitors(client: Client, another: Client) -> None:
    another.ask("monitor", DB, None, {"Interface": {"columns": ["type"]}})
    client.ask("monitor", DB, None, {"Interface": {"select": {"insert": False, "modify": False}}})
    client.add_interface("vx9", {"remote_ip": "172.16.0.2", "key": "9"})
    client.delete_port("vx9")
    (gone,) = client.heard
    ((row,),) = (table.values() for table in gone["params"][1].values())
    assert row.keys() == {"old"}
    kinds = [
        sorted(row) for told in another.heard for row in told["params"][1]["Interface"].values()
    ]
    assert kinds == [["new"], ["old"]]


def test_what_is_cancelled_or_closed_is_told_nothing(client: Client, another: Client) -> None:
    for one in (client, another):
        one.ask("monitor", DB, "m", ALL)
    assert client.ask("monitor_cancel", "m") == {}
    assert client.ask("monitor_cancel", "m")["error"] == "unknown monitor"
    another.session.close()
    client.add_interface("vx9", {"remote_ip": "172.16.0.2", "key": "9"})
    assert client.heard == another.heard == []


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ((), "unknown database"),
        (("other", "m", {}), "unknown database"),
        ((DB, "m"), "syntax error"),
        ((DB, "m", []), "syntax error"),
        ((DB, "m", {"Mirror": {}}), "unknown table"),
        ((DB, "m", {"Port": 7}), "syntax error"),
        ((DB, "m", {"Port": {"columns": ["nome"]}}), "syntax error"),
        ((DB, "m", {"Port": {"columns": [["name"]]}}), "syntax error"),
        ((DB, "m", {"Port": {"columns": 7}}), "syntax error"),
        ((DB, "m", {"Port": {"select": 7}}), "syntax error"),
        ((DB, "m", {"Port": [{"columns": ["name"]}, {"columns": ["name"]}]}), "syntax error"),
    ],
)
def test_a_wrong_monitor_is_refused(client: Client, params: Any, error: str) -> None:
    assert client.ask("monitor", *params)["error"] == error


def test_monitors_are_bounded_and_their_names_are_their_own(client: Client) -> None:
    for number in range(MONITORS_LIMIT):
        client.ask("monitor", DB, number, {})
    assert client.ask("monitor", DB, "one more", {})["error"] == "resources exhausted"
    assert client.ask("monitor", DB, 0, {})["error"] == "duplicate monitor ID"
