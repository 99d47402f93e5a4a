"""Requests of OpenFlow 1.3 that cannot be understood."""

from __future__ import annotations

import pytest

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13.codec import decode
from sdnvirt.openflow.v13.error_codes import OFPBRC, OFPET


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
