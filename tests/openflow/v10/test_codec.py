"""Messages of OpenFlow 1.0 that break a rule, and some that keep strange ones."""

from __future__ import annotations

import itertools
from pathlib import Path

import os_ken.tests
import pytest

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.header import frame, read_header
from sdnvirt.openflow.v10 import error_codes
from sdnvirt.openflow.v10.codec import decode, encode
from sdnvirt.openflow.v10.constants import OFPST, OFPT
from sdnvirt.openflow.v10.error_codes import (
    OFPBAC,
    OFPBRC,
    OFPET,
    OFPFMFC,
    OFPHFC,
    error_name,
)
from sdnvirt.openflow.v10.features import Desc
from sdnvirt.openflow.v10.hello import Hello
from sdnvirt.openflow.v10.statistics import StatsReply

RECORDED = sorted((Path(os_ken.tests.__file__).parent / "packet_data/of10").glob("*.packet"))


def is_value_or_refusal(wire):
    """Whether bytes are a message that can be written again, or an error that can be sent."""
    try:
        xid, message = decode(wire)
    except OpenFlowError as error:
        return error.code in list(error_codes.CODES[OFPET(error.error_type)])
    return decode(encode(message, xid)) == (xid, message)


def refusal(wire):
    with pytest.raises(OpenFlowError) as caught:
        decode(wire)
    return caught.value.error_type, caught.value.code


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ("0116000800000001", OFPBRC.BAD_TYPE),
        ("0405000800000001", OFPBRC.BAD_VERSION),
        ("0105000900000001", OFPBRC.BAD_LEN),
        ("010500090000000100", OFPBRC.BAD_LEN),
        ("0109000a000000010000", OFPBRC.BAD_LEN),
        ("0109000c0000000100040080", OFPBRC.EPERM),
        ("0110000c0000000100060000", OFPBRC.BAD_STAT),
        ("011000100000000100000000" + "00" * 4, OFPBRC.BAD_LEN),
        ("0110000c0000000100040000", OFPBRC.BAD_LEN),
        ("010d001000000001ffffffff00010008", OFPBRC.BAD_LEN),
        ("010400080000000a", OFPBRC.BAD_LEN),
    ],
)
def test_a_request_that_cannot_be_understood_is_a_bad_request(wire, code):
    assert refusal(bytes.fromhex(wire)) == (OFPET.BAD_REQUEST, code)


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("000c000800000000", OFPBAC.BAD_TYPE),
        ("0000000000010000", OFPBAC.BAD_LEN),
        ("0000000400010000", OFPBAC.BAD_LEN),
        ("0000000c00010000 00000000", OFPBAC.BAD_LEN),
        ("0000001000010000", OFPBAC.BAD_LEN),
        ("0000001000010000 0000000000000000", OFPBAC.BAD_LEN),
        ("0004000800000000", OFPBAC.BAD_LEN),
        ("0006001000000000 0000000000000000", OFPBAC.BAD_LEN),
        ("00000008", OFPBAC.BAD_LEN),
        ("0001000810000000", OFPBAC.BAD_ARGUMENT),
        ("0002000808000000", OFPBAC.BAD_ARGUMENT),
        ("0008000801000000", OFPBAC.BAD_ARGUMENT),
    ],
)
def test_an_action_that_breaks_a_rule_is_refused(action, code):
    actions = bytes.fromhex(action)
    packet_out = bytes.fromhex("ffffffffffff") + len(actions).to_bytes(2, "big") + actions
    assert refusal(frame(1, OFPT.PACKET_OUT, 1, packet_out)) == (OFPET.BAD_ACTION, code)
    assert refusal(frame(1, OFPT.FLOW_MOD, 1, bytes(64) + actions)) == (OFPET.BAD_ACTION, code)


@pytest.mark.parametrize(("at", "code"), [(49, OFPFMFC.BAD_COMMAND), (63, OFPFMFC.UNSUPPORTED)])
def test_an_unknown_command_or_flag_of_a_flow_mod_is_refused(at, code):
    body = bytearray(64)
    body[at] = 8
    assert refusal(frame(1, OFPT.FLOW_MOD, 1, bytes(body))) == (OFPET.FLOW_MOD_FAILED, code)


def test_the_body_of_a_hello_has_no_meaning():
    wire = bytes.fromhex("01000010000000010001000000000010")
    assert decode(wire) == (1, Hello())


def test_long_statistics_leave_as_several_messages():
    descs = tuple(Desc(f"maker {n}", "", "", "", "") for n in range(100))
    wire = encode(StatsReply(OFPST.DESC, descs), 5)
    first = read_header(wire)
    assert first.length <= 0xFFFF < len(wire)
    assert read_header(wire, first.length).xid == 5
    assert (wire[11], wire[first.length + 11]) == (1, 0)  # the flags: more comes, no more


def test_errors_have_the_names_of_the_specification():
    assert error_name(OFPET.HELLO_FAILED, OFPHFC.INCOMPATIBLE) == "HELLO_FAILED/INCOMPATIBLE"
    assert error_name(OFPET.FLOW_MOD_FAILED, 3) == "FLOW_MOD_FAILED/BAD_EMERG_TIMEOUT"
    assert error_name(OFPET.BAD_ACTION, 77) == "0x2/0x4d"
    assert error_name(6, 0) == "0x6/0x0"


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_message_with_any_damage_is_refused_or_another_message(path):
    whole = path.read_bytes()
    for size in range(8, len(whole)):
        assert is_value_or_refusal(whole[:2] + size.to_bytes(2, "big") + whole[4:size])
    for at, value in itertools.product(range(8, len(whole)), (0x00, 0x01, 0x7F, 0xFF)):
        assert is_value_or_refusal(whole[:at] + bytes((value,)) + whole[at + 1 :])
