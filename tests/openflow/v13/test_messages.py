"""Requests whose numbers the specification does not know, and messages too long for one header."""

from __future__ import annotations

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.header import frame, read_header
from sdnvirt.openflow.v13.codec import decode, encode
from sdnvirt.openflow.v13.constants import OFPFC, OFPGC, OFPGT, OFPMC, OFPMP, OFPT
from sdnvirt.openflow.v13.error_codes import (
    OFPBMC,
    OFPET,
    OFPFMFC,
    OFPGMFC,
    OFPMMFC,
    OFPPMFC,
    OFPRRFC,
    OFPSCFC,
    OFPTFFC,
    OFPTMFC,
    error_name,
    refuse,
)
from sdnvirt.openflow.v13.features import SetConfig
from sdnvirt.openflow.v13.flow import FlowMod, FlowStats
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import GotoTable
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.meters import DropBand, MeterMod
from sdnvirt.openflow.v13.multipart import MultipartReply, MultipartRequest
from sdnvirt.openflow.v13.ports import PortDesc, PortMod
from sdnvirt.openflow.v13.roles import RoleRequest
from sdnvirt.openflow.v13.table_features import NextTablesProperty, TableFeatures
from sdnvirt.openflow.v13.tables import TableMod

MAC = Mac("02:00:00:00:00:01")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (FlowMod(command=9), OFPFMFC.BAD_COMMAND),
        (FlowMod(flags=0x20), OFPFMFC.BAD_FLAGS),
        (GroupMod(9, OFPGT.ALL, 1), OFPGMFC.BAD_COMMAND),
        (GroupMod(OFPGC.ADD, 9, 1), OFPGMFC.BAD_TYPE),
        (MeterMod(9, 0, 1), OFPMMFC.BAD_COMMAND),
        (MeterMod(OFPMC.ADD, 0x10, 1), OFPMMFC.BAD_FLAGS),
        (PortMod(1, MAC, 0, 0x2), OFPPMFC.BAD_CONFIG),
        (TableMod(0, 4), OFPTMFC.BAD_CONFIG),
        (RoleRequest(4), OFPRRFC.BAD_ROLE),
        (SetConfig(4), OFPSCFC.BAD_FLAGS),
        (
            MultipartRequest(
                OFPMP.TABLE_FEATURES,
                (TableFeatures(0, "", 0, 0, 0, 0, (NextTablesProperty(9),)),),
            ),
            OFPTFFC.BAD_TYPE,
        ),
    ],
)
def test_a_number_without_a_name_is_refused(message, code):
    with pytest.raises(OpenFlowError) as caught:
        decode(encode(message, 1))
    assert (caught.value.error_type, caught.value.code) == (refuse(code, "").error_type, code)


@pytest.mark.parametrize("body", ["", "0000", "000000", "0000008000", "000000800000"])
def test_a_switch_configuration_of_a_wrong_length_is_refused_as_such(body):
    with pytest.raises(OpenFlowError) as caught:
        decode(frame(4, OFPT.SET_CONFIG, 1, bytes.fromhex(body)))
    assert (caught.value.error_type, caught.value.code) == (
        OFPET.SWITCH_CONFIG_FAILED,
        OFPSCFC.BAD_LEN,
    )


@pytest.mark.parametrize("length", [0, 8, 20, 24])
def test_a_bucket_of_a_wrong_length_is_refused(length):
    wire = bytearray(encode(GroupMod(OFPGC.ADD, OFPGT.ALL, 1, (Bucket(),)), 1))
    wire[16:18] = length.to_bytes(2, "big")
    with pytest.raises(OpenFlowError) as caught:
        decode(bytes(wire))
    assert (caught.value.error_type, caught.value.code) == (
        OFPET.GROUP_MOD_FAILED,
        OFPGMFC.BAD_BUCKET,
    )


@pytest.mark.parametrize(("kind", "length"), [(1, 0), (1, 12), (1, 24), (9, 16)])
def test_a_meter_band_of_a_wrong_type_or_length_is_refused(kind, length):
    wire = bytearray(encode(MeterMod(OFPMC.ADD, 1, 1, (DropBand(1000),)), 1))
    wire[16:20] = kind.to_bytes(2, "big") + length.to_bytes(2, "big")
    with pytest.raises(OpenFlowError) as caught:
        decode(bytes(wire))
    assert (caught.value.error_type, caught.value.code) == (
        OFPET.METER_MOD_FAILED,
        OFPMMFC.BAD_BAND,
    )


def test_a_group_is_deleted_whatever_its_type():
    message = GroupMod(OFPGC.DELETE, 9, 1)
    assert decode(encode(message, 1)) == (1, message)


def test_an_error_is_named_as_in_the_specification():
    assert error_name(OFPET.BAD_MATCH, OFPBMC.DUP_FIELD) == "BAD_MATCH/DUP_FIELD"
    assert error_name(OFPET.BAD_MATCH, 99) == "0x4/0x63"
    assert error_name(0xFFFF, 3) == "0xffff/0x3"


def test_a_flow_mod_has_the_defaults_that_wildcard_everything():
    _, message = decode(encode(FlowMod(), 1))
    assert message.command == OFPFC.ADD
    assert str(message.match) == "*"


def test_a_name_is_cut_where_the_field_ends():
    reply = MultipartReply(OFPMP.PORT_DESC, (PortDesc(1, MAC, "a-name-of-twenty-one!"),))
    _, message = decode(encode(reply, 1))
    assert message.entries[0].name == "a-name-of-twent"


def test_a_long_reply_becomes_messages_that_say_when_there_is_more():
    flows = tuple(
        FlowStats(0, 1, 2, n, 0, 0, 0, 0, 5, 6, Match.of(in_port=n), (GotoTable(1),))
        for n in range(2_000)
    )
    wire = encode(MultipartReply(OFPMP.FLOW, flows), 7)
    parts = []
    while wire:
        length = read_header(wire).length
        xid, part = decode(wire[:length])
        assert xid == 7
        parts.append(part)
        wire = wire[length:]
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    assert len(parts) == 3
    assert sum((part.entries for part in parts), ()) == flows
