"""Flow tables: what they can do, told and asked for (OpenFlow 1.3.5, 7.3.3 and 7.3.5.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sdnvirt.datapath.table import TABLE_LIMIT
from sdnvirt.devices.of13.reassembly import PARTS_LIMIT
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v13 import codec, oxm
from sdnvirt.openflow.v13.actions import ACTIONS, Output
from sdnvirt.openflow.v13.constants import OFPAT, OFPCR, OFPIT, OFPMP, OFPTFPT, OFPTT
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.multipart import MultipartReply, MultipartRequest
from sdnvirt.openflow.v13.roles import RoleRequest
from sdnvirt.openflow.v13.table_features import (
    ExperimenterProperty,
    NextTablesProperty,
    OxmId,
    OxmProperty,
    TableFeatures,
    TypeId,
    TypesProperty,
)
from sdnvirt.openflow.v13.tables import TableMod
from tests.devices.controller import Controller


def header(field: oxm.OxmField) -> OxmId:
    return OxmId(int.from_bytes(field.header, "big"))


def only(one: TableFeatures, kind: int) -> Any:
    (found,) = [prop for prop in one.properties if prop.kind == kind]
    return found


def send_parts(controller: Controller, parts: Iterator[MultipartRequest], xid: int) -> list[Any]:
    """Send the parts of one request; return everything that answers it."""
    before = len(controller.received)
    for part in parts:
        controller.write(codec.encode(part, xid))
    controller.rest()
    return [answer for _, number, answer in controller.received[before:] if number == xid]


def configure(controller: Controller, features: list[TableFeatures]) -> Any:
    """Ask for a pipeline, a few tables in each message; return the one answer or the entries."""
    starts = range(0, len(features), 20)
    parts = (
        MultipartRequest(OFPMP.TABLE_FEATURES, tuple(features[at : at + 20]), more=at != starts[-1])
        for at in starts
    )
    answers = send_parts(controller, parts, 77)
    if isinstance(answers[0], Error):
        (error,) = answers
        return error_name(error.error_type, error.code).removeprefix("TABLE_FEATURES_FAILED/")
    assert all(isinstance(answer, MultipartReply) for answer in answers)
    return [entry for answer in answers for entry in answer.entries]


@pytest.fixture
def features(controller: Controller) -> list[TableFeatures]:
    return list(controller.multipart(OFPMP.TABLE_FEATURES))


# told


def test_every_table_is_described(features: list[TableFeatures]) -> None:
    assert [one.table_id for one in features] == list(range(OFPTT.MAX + 1))
    everything = (1 << 64) - 1
    for one in features:
        assert (one.metadata_match, one.metadata_write) == (everything, everything)
        assert (one.max_entries, one.config) == (TABLE_LIMIT, 0)


def test_a_table_leads_to_later_ones_only(features: list[TableFeatures]) -> None:
    for one in features:
        later = only(one, OFPTFPT.NEXT_TABLES).table_ids
        assert later == tuple(range(one.table_id + 1, OFPTT.MAX + 1))
        goes_on = TypeId(OFPIT.GOTO_TABLE) in only(one, OFPTFPT.INSTRUCTIONS).ids
        assert goes_on == bool(later)


def test_what_is_told_of_matches_and_set_fields_is_true(
    controller: Controller, features: list[TableFeatures]
) -> None:
    told = {number for number, _ in only(features[0], OFPTFPT.MATCH).ids}
    for field in oxm.FIELDS:
        maskable = int.from_bytes(field.masked_header, "big") in told
        assert maskable == field.maskable
        assert maskable or header(field).header in told  # all fields of 1.3 can be matched
    settable = set(only(features[0], OFPTFPT.APPLY_SETFIELD).ids)
    assert settable == set(only(features[0], OFPTFPT.WRITE_SETFIELD).ids)
    refused = {oxm.IN_PORT, oxm.IN_PHY_PORT, oxm.METADATA, oxm.IPV6_EXTHDR}
    assert settable == {header(field) for field in oxm.FIELDS if field not in refused}


def test_what_is_told_of_actions_is_all_that_the_codec_knows(features: list[TableFeatures]) -> None:
    known = set(ACTIONS) - {OFPAT.EXPERIMENTER}
    for kind in (OFPTFPT.WRITE_ACTIONS, OFPTFPT.APPLY_ACTIONS):
        assert {one.type for one in only(features[0], kind).ids} == known


# asked for


def test_the_same_pipeline_and_a_lesser_one_are_granted(
    switch: OpenFlowSwitch, controller: Controller, features: list[TableFeatures]
) -> None:
    """What is granted may be more than what was asked for, and nothing is lost by asking."""
    controller.send(FlowMod(instructions=(ApplyActions((Output(1),)),)))
    assert configure(controller, features) == features
    exact = OxmProperty(OFPTFPT.MATCH, (header(oxm.ETH_DST),))
    misses = TypesProperty(OFPTFPT.INSTRUCTIONS_MISS, (TypeId(OFPIT.APPLY_ACTIONS),))
    assert configure(controller, [replace(f, properties=(exact, misses)) for f in features]) == (
        features
    )
    assert len(switch.datapath.tables[0]) == 1


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (OxmProperty(OFPTFPT.MATCH, (OxmId(0x80007F04),)), "BAD_ARGUMENT"),
        (OxmProperty(OFPTFPT.APPLY_SETFIELD, (header(oxm.METADATA),)), "BAD_ARGUMENT"),
        (TypesProperty(OFPTFPT.WRITE_ACTIONS, (TypeId(99),)), "BAD_ARGUMENT"),
        (TypesProperty(OFPTFPT.INSTRUCTIONS_MISS, (TypeId(OFPIT.METER + 1),)), "BAD_ARGUMENT"),
        (NextTablesProperty(OFPTFPT.NEXT_TABLES, (0,)), "BAD_ARGUMENT"),
        (ExperimenterProperty(OFPTFPT.EXPERIMENTER, 1, 2), "BAD_TYPE"),
    ],
)
def test_a_pipeline_that_does_more_is_refused(
    controller: Controller, features: list[TableFeatures], asked: Any, answer: str
) -> None:
    features[9] = replace(features[9], properties=(asked,))
    assert configure(controller, features) == answer


def test_other_tables_than_there_are_are_refused(
    controller: Controller, features: list[TableFeatures]
) -> None:
    assert configure(controller, features[:-1]) == "EPERM"
    assert configure(controller, [*features, features[3]]) == "BAD_ARGUMENT"
    assert configure(controller, [*features, replace(features[3], table_id=255)]) == "BAD_TABLE"


def test_a_slave_may_ask_what_the_tables_do_and_not_change_it(
    controller: Controller, features: list[TableFeatures]
) -> None:
    controller.ask(RoleRequest(OFPCR.SLAVE, 0))
    request = MultipartRequest(OFPMP.TABLE_FEATURES, (features[0],))
    assert controller.refusal(request) == "BAD_REQUEST/IS_SLAVE"
    assert list(controller.multipart(OFPMP.TABLE_FEATURES)) == features


# requests in several messages (7.3.5)


def test_requests_in_parts_may_be_mixed(
    controller: Controller, features: list[TableFeatures]
) -> None:
    half = len(features) // 2
    parts = [tuple(features[:half]), tuple(features[half:])]
    for xid in (5, 6):
        first = MultipartRequest(OFPMP.TABLE_FEATURES, parts[0], more=True)
        assert send_parts(controller, _split(first), xid) == []
    for xid in (6, 5):
        last = MultipartRequest(OFPMP.TABLE_FEATURES, parts[1])
        answers = send_parts(controller, _split(last), xid)
        assert [entry for answer in answers for entry in answer.entries] == features


def _split(request: MultipartRequest) -> Iterator[MultipartRequest]:
    """Yield messages that are short enough to be sent."""
    for at in range(0, len(request.entries), 20):
        last = at + 20 >= len(request.entries)
        yield replace(request, entries=request.entries[at : at + 20], more=request.more or not last)


def test_parts_of_different_kinds_are_refused(controller: Controller) -> None:
    parts = [MultipartRequest(OFPMP.TABLE_FEATURES, more=True), MultipartRequest(OFPMP.DESC)]
    (error,) = send_parts(controller, iter(parts), 9)
    assert error_name(error.error_type, error.code) == "BAD_REQUEST/BAD_MULTIPART"
    assert len(send_parts(controller, iter(parts[1:]), 9)) == 1  # nothing of it is left


def test_two_requests_in_one_are_refused(controller: Controller) -> None:
    one = MultipartRequest(OFPMP.FLOW, (FlowStatsRequest(match=Match()),), more=True)
    (error,) = send_parts(controller, iter([one, replace(one, more=False)]), 9)
    assert error_name(error.error_type, error.code) == "BAD_REQUEST/BAD_LEN"


def test_a_request_without_end_is_refused(controller: Controller) -> None:
    part = MultipartRequest(OFPMP.TABLE_FEATURES, more=True)
    for xid in range(PARTS_LIMIT):
        assert send_parts(controller, iter([part]), 1000 + xid) == []
    (error,) = send_parts(controller, iter([part]), 5000)
    assert error_name(error.error_type, error.code) == "BAD_REQUEST/MULTIPART_BUFFER_OVERFLOW"
    controller.hang_up()
    assert send_parts(controller, iter([part]), 1) == []


# table mods


@pytest.mark.parametrize("table_id", [0, OFPTT.MAX, OFPTT.ALL])
def test_a_table_mod_has_nothing_left_to_change(controller: Controller, table_id: int) -> None:
    assert controller.ask(TableMod(table_id, 3)) == []
    assert controller.refusal(TableMod(table_id, 4)) == "TABLE_MOD_FAILED/BAD_CONFIG"
