"""Every message of every version survives the way to bytes and back, and no bytes do harm."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.header import frame
from sdnvirt.openflow.v10 import codec as codec10
from sdnvirt.openflow.v10 import constants as constants10
from sdnvirt.openflow.v10 import error_codes as errors10
from sdnvirt.openflow.v13 import codec as codec13
from sdnvirt.openflow.v13 import constants as constants13
from sdnvirt.openflow.v13 import error_codes as errors13

CODECS = {"v10": codec10, "v13": codec13}
CONSTANTS = {"v10": constants10, "v13": constants13}
ERRORS = {"v10": errors10, "v13": errors13}

quick = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def is_value_or_refusal(version, wire):
    """Whether bytes are a message that can be written again, or an error that can be sent."""
    codec, errors = CODECS[version], ERRORS[version]
    try:
        xid, message = codec.decode(wire)
    except OpenFlowError as error:
        return error.code in list(errors.CODES[errors.OFPET(error.error_type)])
    return codec.decode(codec.encode(message, xid)) == (xid, message)


@pytest.mark.parametrize("version", CODECS)
def test_every_message_type_of_the_specification_has_a_class(version):
    assert sorted(CODECS[version].MESSAGES) == sorted(CONSTANTS[version].OFPT)


@quick
@given(data=st.data(), xid=st.integers(0, 0xFFFFFFFF))
def test_a_decoded_message_is_the_encoded_one(version, messages, data, xid):
    message = data.draw(messages)
    codec = CODECS[version]
    assert codec.decode(codec.encode(message, xid)) == (xid, message)


@quick
@given(data=st.data())
def test_a_truncated_message_is_refused_or_another_message(version, messages, data):
    whole = CODECS[version].encode(data.draw(messages), 1)
    size = data.draw(st.integers(8, len(whole)))
    cut = whole[:2] + size.to_bytes(2, "big") + whole[4:size]
    assert is_value_or_refusal(version, cut)


@quick
@given(data=st.data())
def test_a_corrupted_message_is_refused_or_another_message(version, messages, data):
    wire = bytearray(CODECS[version].encode(data.draw(messages), 1))
    for _ in range(data.draw(st.integers(1, 3))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    assert is_value_or_refusal(version, bytes(wire))


@pytest.mark.parametrize("version", CODECS)
@settings(max_examples=200, deadline=None)
@given(kind=st.integers(0, 31), body=st.binary(max_size=100))
def test_any_bytes_are_a_message_or_a_wire_error(version, kind, body):
    assert is_value_or_refusal(version, frame(CONSTANTS[version].VERSION, kind, 0, body))
