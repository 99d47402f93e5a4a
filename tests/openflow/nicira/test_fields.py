"""NXM's match fields, with Ryu's library as the second opinion."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ryu.ofproto import ofproto_v1_3 as ofp
from ryu.ofproto import ofproto_v1_3_parser as parser

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.actions import SetField
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.match import Match, take_match


def refusal(caught: pytest.ExceptionInfo[OpenFlowError]) -> str:
    return error_name(caught.value.error_type, caught.value.code)


def ryu_match(**fields: object) -> bytes:
    wire = bytearray()
    parser.OFPMatch(**fields).serialize(wire, 0)
    return bytes(wire)


@pytest.mark.parametrize("field", nxm.FIELDS, ids=lambda field: field.name)
def test_ryu_knows_each_field_by_the_same_number(field: oxm.OxmField) -> None:
    number = ofp.oxm_from_user_header(field.name)
    assert field.header == (number << 9 | field.size).to_bytes(4, "big")


@given(data=st.data(), field=st.sampled_from(nxm.FIELDS))
def test_what_ryu_writes_is_read_and_written_again(
    data: st.DataObject, field: oxm.OxmField
) -> None:
    mask = data.draw(st.integers(1, field.limit - 1))
    value = data.draw(st.integers(0, field.limit)) & mask
    raw = value.to_bytes(field.size, "big"), mask.to_bytes(field.size, "big")
    written = parser.OFPMatch(_ordered_fields=[(field.name, _words(field, value, mask))])
    wire = bytearray()
    written.serialize(wire, 0)
    match, stop = take_match(bytes(wire), 0, len(wire))
    assert match == Match.of(**{field.name: raw})
    assert match.pack() == wire
    assert stop == len(wire)


def _words(field: oxm.OxmField, value: int, mask: int) -> tuple[object, object]:
    if field.form is oxm.Form.IPV4:
        return field.text(value), field.text(mask)
    return value, mask


def test_nxm_and_oxm_stand_in_ryus_order() -> None:
    wire = ryu_match(eth_type=0x0800, tun_ipv4_dst="10.0.0.1", reg0=(5, 0xFF), in_port=3)
    match, _ = take_match(wire, 0, len(wire))
    assert str(match) == "reg0=0x5/0xff,tun_ipv4_dst=10.0.0.1,in_port=3,eth_type=0x0800"
    assert match.pack() == wire


@pytest.mark.parametrize(
    ("alias", "value", "means"),
    [
        ("tunnel_id_nxm", 7, Match.of(tunnel_id=7)),
        ("tunnel_id_nxm", (1, 3), Match.of(tunnel_id=(1, 3))),
        ("eth_src_nxm", "02:00:00:00:00:01", Match.of(eth_src=0x020000000001)),
        ("eth_type_nxm", 0x0806, Match.of(eth_type=0x0806)),
    ],
)
def test_nxm_twins_of_openflow_fields_are_understood(
    alias: str, value: object, means: Match
) -> None:
    wire = ryu_match(**{alias: value})
    assert take_match(wire, 0, len(wire))[0] == means


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ("00010005 00000000 00", "BAD_MATCH/BAD_LEN"),
        ("00010004 0000", "BAD_MATCH/BAD_LEN"),
        ("00010108 00000005 00000002", "BAD_MATCH/BAD_WILDCARDS"),
        ("00010004 00000005 00010004 00000005", "BAD_MATCH/DUP_FIELD"),
        ("00017e04 00000000", "BAD_MATCH/BAD_FIELD"),
        ("00000802 0000", "BAD_MATCH/BAD_FIELD"),
        ("ffff0008 00002320 00000003", "BAD_MATCH/BAD_FIELD"),
    ],
)
def test_what_breaks_the_rules_is_refused(fields: str, answer: str) -> None:
    body = bytes.fromhex(fields)
    wire = b"\0\1" + (4 + len(body)).to_bytes(2, "big") + body
    wire = wire.ljust((len(wire) + 7) // 8 * 8, b"\0")
    with pytest.raises(OpenFlowError) as caught:
        take_match(wire, 0, len(wire))
    assert refusal(caught) == answer


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("reg3", 5, "set_field:0x5->reg3"), ("tun_ipv4_dst", "10.0.0.1", None)],
)
def test_set_field_of_ryu(name: str, value: object, text: str | None) -> None:
    wire = bytearray()
    parser.OFPActionSetField(**{name: value}).serialize(wire, 0)
    (action,) = unpack_actions(bytes(wire), 0, len(wire))
    assert isinstance(action, SetField)
    assert action.field is nxm.field_named(name)
    assert action.pack() == wire
    assert str(action) == (text or "set_field:10.0.0.1->tun_ipv4_dst")


@pytest.mark.parametrize("field", [nxm.REGS[0], nxm.CT_LABEL], ids=lambda field: field.name)
def test_a_copy_of_a_field_is_the_field(field: oxm.OxmField) -> None:
    assert copy.deepcopy(field) is field
    assert pickle.loads(pickle.dumps(field)) is field
