"""What a switch must say to a stream of messages, valid or not."""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.channel import CODECS
from sdnvirt.openflow.errors import BAD_LENGTH, BAD_REQUEST, BAD_VERSION, HELLO_FAILED
from sdnvirt.openflow.v10 import error_codes as errors10
from sdnvirt.openflow.v10.constants import OFPT as OFPT10
from sdnvirt.openflow.v13 import error_codes as errors13
from sdnvirt.openflow.v13.constants import OFPT
from tests.conformance.malformed.wire import (
    ECHO_REPLY,
    ECHO_REQUEST,
    ERROR,
    HEADER,
    HELLO,
    WORD,
    messages_of,
)

REPLIES: Final[dict[int, dict[int, int]]] = {
    1: {
        ECHO_REQUEST: ECHO_REPLY,
        OFPT10.FEATURES_REQUEST: OFPT10.FEATURES_REPLY,
        OFPT10.GET_CONFIG_REQUEST: OFPT10.GET_CONFIG_REPLY,
        OFPT10.STATS_REQUEST: OFPT10.STATS_REPLY,
        OFPT10.BARRIER_REQUEST: OFPT10.BARRIER_REPLY,
        OFPT10.QUEUE_GET_CONFIG_REQUEST: OFPT10.QUEUE_GET_CONFIG_REPLY,
    },
    4: {
        ECHO_REQUEST: ECHO_REPLY,
        OFPT.FEATURES_REQUEST: OFPT.FEATURES_REPLY,
        OFPT.GET_CONFIG_REQUEST: OFPT.GET_CONFIG_REPLY,
        OFPT.MULTIPART_REQUEST: OFPT.MULTIPART_REPLY,
        OFPT.BARRIER_REQUEST: OFPT.BARRIER_REPLY,
        OFPT.QUEUE_GET_CONFIG_REQUEST: OFPT.QUEUE_GET_CONFIG_REPLY,
        OFPT.ROLE_REQUEST: OFPT.ROLE_REPLY,
        OFPT.GET_ASYNC_REQUEST: OFPT.GET_ASYNC_REPLY,
    },
}
"""The requests of each version that have a reply, and its type; all others are met by silence."""

UNANSWERED: Final = (HELLO, ERROR)
"""A second HELLO has no meaning in any version, and errors are not answered."""

ASYNCHRONOUS: Final = (OFPT.PACKET_IN, OFPT.FLOW_REMOVED, OFPT.PORT_STATUS)
"""What may come at any time, with the same numbers in both versions."""

MORE: Final = {OFPT.MULTIPART_REQUEST: 4}
"""Request types of many parts, in the version, that are answered after the last. Those of 1.0 have
no flags (5.3.5), so each is answered."""

NAT: Final = bytes.fromhex("000023200024")
"""Nicira's NAT action, in which a range of one number can be written with one number or two."""


def check_replies(version: int, stream: bytes, heard: bytes, closed: bool) -> None:
    """Check what the switch said to a stream of messages on an established connection."""
    requests, rest = messages_of(stream)
    replies, torn = messages_of(heard)
    assert not torn
    assert all(reply[0] == version for reply in replies)
    replies = [reply for reply in replies if reply[1] not in ASYNCHRONOUS]
    for request in requests:
        kind, xid = request[1], request[4:8]
        fitting = (ERROR, REPLIES[version].get(kind))
        answers = []
        while replies and replies[0][4:8] == xid and replies[0][1] in fitting:
            answers.append(replies.pop(0))
            if answers[-1][1] == ERROR or not is_more(version, answers[-1]):
                break
        check_answers(version, request, answers)
    broken = len(rest) >= HEADER.size and WORD.unpack_from(rest, 2)[0] < HEADER.size
    assert closed == broken
    if broken:
        check_error(version, rest, replies.pop(0), xid=bytes(4))
    assert not replies


def is_more(version: int, message: bytes) -> bool:
    """Whether a part of a multipart message is to be followed by another."""
    many = (OFPT10.STATS_REPLY,) if version == 1 else (OFPT.MULTIPART_REPLY,)
    return message[1] in many and bool(message[11] & 1)


def check_answers(version: int, request: bytes, answers: list[bytes]) -> None:
    """Check what a message was answered with."""
    kind = request[1]
    if kind in UNANSWERED:
        assert answers == []
        return
    if [answer[1] for answer in answers] == [ERROR]:
        check_error(version, request, answers[0], xid=request[4:8])
        return
    assert request[0] == version
    # What was taken for valid has no bytes that belong to nothing.
    xid, message = CODECS[version].decode(request)
    assert len(CODECS[version].encode(message, xid)) == len(request) or NAT in request
    expected = REPLIES[version].get(kind)
    partial = MORE.get(kind) == version and request[11] & 1
    if expected is None or partial:
        assert answers == []
        return
    assert [answer[1] for answer in answers] == [expected] * len(answers)
    assert answers


def check_error(version: int, request: bytes, answer: bytes, xid: bytes) -> None:
    """Check that an error is one of the version's, and shows what it is about (1.3.5, 7.5.4)."""
    assert answer[1] == ERROR
    assert answer[4:8] == xid
    error_type, code = WORD.unpack_from(answer, 8)[0], WORD.unpack_from(answer, 10)[0]
    if version == 1:
        assert code in list(errors10.CODES[errors10.OFPET(error_type)])
    else:
        assert code in list(errors13.CODES[errors13.OFPET(error_type)])
    assert request.startswith(answer[12:])
    assert len(answer) - 12 >= min(64, len(request))
    if WORD.unpack_from(request, 2)[0] < HEADER.size:
        assert (error_type, code) == (BAD_REQUEST, BAD_LENGTH)
    elif request[0] != version:
        assert (error_type, code) == (BAD_REQUEST, BAD_VERSION)


def check_greeting(stream: bytes, heard: bytes, closed: bool) -> None:
    """Check what the switch did with a stream that begins the connection (1.3.5, 6.3.1)."""
    replies, torn = messages_of(heard)
    assert not torn
    assert replies[0][1] == HELLO
    requests, rest = messages_of(stream)
    if closed:
        error_type = WORD.unpack_from(replies[-1], 8)[0] if replies[1:] else None
        # Who answers the HELLO with an error is left without an answer.
        assert error_type in ((HELLO_FAILED, BAD_REQUEST) if stream[1] != ERROR else (None,))
    elif not rest:
        assert len(replies) == len(requests)  # one is our HELLO, and one of theirs has no answer
