"""Every message survives the way to bytes and back, and no bytes do harm."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13 import error_codes
from sdnvirt.openflow.v13.codec import MESSAGES, decode, encode
from sdnvirt.openflow.v13.constants import OFPT
from sdnvirt.openflow.v13.error_codes import OFPBRC, OFPET

quick = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def is_value_or_refusal(wire):
    """Whether bytes are a message that can be written again, or an error that can be sent."""
    try:
        xid, message = decode(wire)
    except OpenFlowError as error:
        return error.code in list(error_codes.CODES[OFPET(error.error_type)])
    return decode(encode(message, xid)) == (xid, message)


def test_every_message_type_of_the_specification_has_a_class():
    assert sorted(MESSAGES) == sorted(OFPT)


@quick
@given(data=st.data(), xid=st.integers(0, 0xFFFFFFFF))
def test_a_decoded_message_is_the_encoded_one(messages, data, xid):
    message = data.draw(messages)
    assert decode(encode(message, xid)) == (xid, message)


@quick
@given(data=st.data())
def test_a_truncated_message_is_refused_or_another_message(messages, data):
    whole = encode(data.draw(messages), 1)
    size = data.draw(st.integers(8, len(whole)))
    cut = whole[:2] + size.to_bytes(2, "big") + whole[4:size]
    assert is_value_or_refusal(cut)


@quick
@given(data=st.data())
def test_a_corrupted_message_is_refused_or_another_message(messages, data):
    wire = bytearray(encode(data.draw(messages), 1))
    for _ in range(data.draw(st.integers(1, 3))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    assert is_value_or_refusal(bytes(wire))


@settings(max_examples=200, deadline=None)
@given(kind=st.integers(0, 31), body=st.binary(max_size=80))
def test_any_bytes_are_a_message_or_a_wire_error(kind, body):
    wire = bytes([4, kind]) + (8 + len(body)).to_bytes(2, "big") + bytes(4) + body
    assert is_value_or_refusal(wire)


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ("041e000800000001", OFPBRC.BAD_TYPE),
        ("0505000800000001", OFPBRC.BAD_VERSION),
        ("0405000900000001", OFPBRC.BAD_LEN),
        ("04050007000000", OFPBRC.BAD_LEN),
        ("040500090000000100", OFPBRC.BAD_LEN),
        ("0412001000000001000e000000000000", OFPBRC.BAD_MULTIPART),
        ("04120018000000010000000000000000" + "00" * 8, OFPBRC.BAD_LEN),
        ("04120010000000010001000000000000", OFPBRC.BAD_LEN),
        ("040d001800000001ffffffff00000001" + "0008000000000000", OFPBRC.BAD_LEN),
    ],
)
def test_a_request_that_cannot_be_understood_is_a_bad_request(wire, code):
    with pytest.raises(OpenFlowError) as caught:
        decode(bytes.fromhex(wire))
    assert (caught.value.error_type, caught.value.code) == (OFPET.BAD_REQUEST, code)


def test_a_hello_element_of_length_zero_is_refused_and_not_read_for_ever():
    with pytest.raises(OpenFlowError):
        decode(bytes.fromhex("04000010000000010001000000000010"))
