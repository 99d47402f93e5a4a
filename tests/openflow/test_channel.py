"""The channel: negotiation, framing, answers of its own, keep-alive."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.openflow.channel import (
    TRANSITIONS,
    Channel,
    Established,
    Failed,
    Input,
    Received,
    Refused,
    State,
)
from sdnvirt.openflow.header import frame, read_header
from sdnvirt.openflow.symmetric import EchoReply, EchoRequest, Error, Hello
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.barrier import BarrierRequest
from sdnvirt.openflow.v13.codec import decode, encode
from sdnvirt.openflow.v13.error_codes import OFPBAC, OFPBRC, OFPET, OFPHFC
from sdnvirt.openflow.v13.features import Desc, FeaturesReply, FeaturesRequest
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.multipart import MultipartReply
from sdnvirt.openflow.v13.packets import PacketOut

IDLE_NS, TIMEOUT_NS = 1_000, 300
HELLO = frame(4, Hello.TYPE, 7, b"")


def connected(**options):
    """A channel whose peer has said a HELLO without a bitmap, as Ryu does."""
    channel = Channel(**options)
    channel.start()
    channel.outgoing()
    assert channel.receive(HELLO) == [Established(4)]
    return channel


def messages_in(data):
    found = []
    while data:
        length = read_header(data).length
        found.append(decode(data[:length]))
        data = data[length:]
    return found


# Negotiation


def test_the_first_bytes_are_a_hello_with_the_versions_spoken():
    channel = Channel()
    channel.start()
    assert messages_in(channel.outgoing()) == [(1, Hello((4,)))]
    assert channel.state is State.NEGOTIATING


def test_two_channels_agree():
    switch, controller = Channel(), Channel()
    switch.start()
    controller.start()
    hello = switch.outgoing()
    assert switch.receive(controller.outgoing()) == [Established(4)]
    assert controller.receive(hello) == [Established(4)]
    assert switch.established


@pytest.mark.parametrize(
    ("version", "bitmap"),
    [(4, None), (4, (4,)), (6, None), (6, (1, 4, 6)), (5, (4, 5))],
)
def test_the_highest_version_in_common_is_agreed(version, bitmap):
    channel = Channel()
    channel.start()
    assert channel.receive(frame(version, Hello.TYPE, 1, Hello(bitmap).pack())) == [Established(4)]


@pytest.mark.parametrize(("version", "bitmap"), [(1, None), (3, None), (6, (5, 6)), (4, ())])
def test_without_a_version_in_common_both_are_told(version, bitmap):
    channel = Channel()
    channel.start()
    channel.outgoing()
    (failed,) = channel.receive(frame(version, Hello.TYPE, 9, Hello(bitmap).pack()))
    assert isinstance(failed, Failed)
    answer = channel.outgoing()
    header = read_header(answer)
    assert (header.version, header.type, header.xid) == (min(version, 4), Error.TYPE, 9)
    error = Error.unpack(answer, 8, len(answer))
    assert (error.error_type, error.code) == (OFPET.HELLO_FAILED, OFPHFC.INCOMPATIBLE)


def test_the_body_of_an_old_hello_has_no_meaning():
    channel = Channel()
    channel.start()
    (failed,) = channel.receive(frame(1, Hello.TYPE, 1, bytes.fromhex("0001000000000010")))
    assert "in common" in failed.reason


def test_a_message_before_the_hello_fails():
    channel = Channel()
    channel.start()
    channel.outgoing()
    (failed,) = channel.receive(encode(FeaturesRequest(), 3))
    assert isinstance(failed, Failed)
    ((xid, error),) = messages_in(channel.outgoing())
    assert (xid, error.error_type) == (3, OFPET.HELLO_FAILED)


def test_an_error_instead_of_a_hello_fails_and_is_not_answered():
    channel = Channel()
    channel.start()
    channel.outgoing()
    (failed,) = channel.receive(encode(Error(OFPET.HELLO_FAILED, OFPHFC.INCOMPATIBLE), 3))
    assert isinstance(failed, Failed)
    assert channel.outgoing() == b""


def test_a_hello_with_an_element_of_length_zero_fails():
    channel = Channel()
    channel.start()
    (failed,) = channel.receive(bytes.fromhex("04000010000000010001000000000010"))
    assert isinstance(failed, Failed)
    assert channel.receive(HELLO) == []


def test_a_second_hello_changes_nothing():
    channel = connected()
    assert channel.receive(HELLO) == []
    assert channel.outgoing() == b""


# Messages


def test_messages_arrive_with_their_xid():
    channel = connected()
    assert channel.receive(encode(BarrierRequest(), 42)) == [Received(42, BarrierRequest())]


def test_own_messages_are_numbered_from_one_and_replies_keep_their_number():
    channel = connected()  # the HELLO was number 1
    assert channel.send(FeaturesRequest()) == 2
    assert channel.send(FeaturesReply(1, 0, 1, 0, 0), xid=77) == 77
    assert channel.send(FeaturesRequest()) == 3
    assert [xid for xid, _ in messages_in(channel.outgoing())] == [2, 77, 3]
    assert channel.outgoing() == b""


def test_a_long_multipart_reply_leaves_as_several_messages():
    channel = connected()
    descs = tuple(Desc(f"maker {n}", "", "", "", "") for n in range(100))
    channel.send(MultipartReply(0, descs), xid=5)
    wire = channel.outgoing()
    first = read_header(wire)
    assert first.length <= 0xFFFF < len(wire)
    assert read_header(wire, first.length).xid == 5


def test_an_echo_request_is_answered_with_its_data():
    channel = connected()
    assert channel.receive(encode(EchoRequest(b"there?"), 9)) == []
    assert messages_in(channel.outgoing()) == [(9, EchoReply(b"there?"))]


STREAM = (
    HELLO,
    encode(EchoRequest(b"x"), 1),
    encode(FlowMod(instructions=(ApplyActions((Output(1),)),)), 2),
    frame(4, 14, 3, b"\0" * 9),
    encode(PacketOut(actions=(Output(2),), data=b"packet"), 4),
    frame(5, 20, 5, b""),
    encode(BarrierRequest(), 6),
)


@given(cuts=st.lists(st.integers(0, len(b"".join(STREAM))), max_size=12))
def test_events_do_not_depend_on_how_the_stream_is_cut(cuts):
    stream = b"".join(STREAM)

    def told(pieces):
        channel = Channel()
        channel.start()
        events = [event for piece in pieces for event in channel.receive(piece)]
        kinds = [
            (event.xid, event.error.error_type, event.error.code)
            if isinstance(event, Refused)
            else event
            for event in events
        ]
        return kinds, channel.outgoing()

    edges = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in itertools.pairwise(edges)]
    assert told(pieces) == told([stream])
    assert len(told([stream])[0]) == 6


# Malformed messages


def test_a_malformed_body_is_answered_and_the_connection_goes_on():
    channel = connected()
    wire = bytearray(encode(PacketOut(actions=(Output(2),), data=bytes(100)), 11))
    wire[24:26] = b"\x00\x63"  # an action type that does not exist
    events = channel.receive(bytes(wire) + encode(BarrierRequest(), 12))
    assert isinstance(events[0], Refused)
    assert events[1] == Received(12, BarrierRequest())
    answer = Error(OFPET.BAD_ACTION, OFPBAC.BAD_TYPE, bytes(wire[:64]))
    assert messages_in(channel.outgoing()) == [(11, answer)]


def test_another_version_than_the_agreed_one_is_answered():
    channel = connected()
    wire = frame(5, 20, 8, b"")
    (refused,) = channel.receive(wire)
    assert isinstance(refused, Refused)
    answer = Error(OFPET.BAD_REQUEST, OFPBRC.BAD_VERSION, wire)
    assert messages_in(channel.outgoing()) == [(8, answer)]


def test_a_malformed_error_is_not_answered_with_an_error():
    channel = connected()
    (refused,) = channel.receive(frame(4, Error.TYPE, 8, b"\0"))
    assert isinstance(refused, Refused)
    assert channel.outgoing() == b""


def test_a_length_below_the_header_ends_the_connection():
    channel = connected()
    (failed,) = channel.receive(bytes.fromhex("0414000700000001") + encode(BarrierRequest(), 2))
    assert isinstance(failed, Failed)
    assert channel.state is State.FAILED
    ((_, error),) = messages_in(channel.outgoing())
    assert (error.error_type, error.code) == (OFPET.BAD_REQUEST, OFPBRC.BAD_LEN)


# Keep-alive


def test_silence_is_asked_about_and_then_ends_the_connection():
    channel = connected(echo_idle_ns=IDLE_NS, echo_timeout_ns=TIMEOUT_NS)
    assert channel.next_timeout() == 0
    assert channel.tick(5) == []
    assert channel.next_timeout() == 5 + IDLE_NS
    assert channel.tick(5 + IDLE_NS - 1) == []
    assert channel.outgoing() == b""
    assert channel.tick(5 + IDLE_NS) == []
    assert messages_in(channel.outgoing()) == [(2, EchoRequest())]
    assert channel.next_timeout() == 5 + IDLE_NS + TIMEOUT_NS
    (failed,) = channel.tick(5 + IDLE_NS + TIMEOUT_NS)
    assert isinstance(failed, Failed)
    assert channel.next_timeout() is None


def test_anything_that_is_heard_shows_that_the_peer_lives():
    channel = connected(echo_idle_ns=IDLE_NS, echo_timeout_ns=TIMEOUT_NS)
    channel.tick(0)
    channel.receive(encode(BarrierRequest(), 1))
    channel.tick(IDLE_NS)
    assert channel.outgoing() == b""
    channel.tick(2 * IDLE_NS)
    ((xid, _),) = messages_in(channel.outgoing())
    assert channel.receive(encode(EchoReply(), xid)) == []
    assert channel.tick(2 * IDLE_NS + TIMEOUT_NS) == []
    assert channel.next_timeout() == 3 * IDLE_NS + TIMEOUT_NS


def test_a_trusted_transport_is_not_probed():
    channel = connected(echo_idle_ns=None)
    assert channel.next_timeout() is None
    assert channel.tick(1 << 60) == []
    assert channel.outgoing() == b""


# States


def test_a_failed_channel_has_no_way_on():
    assert not [state for state, _ in TRANSITIONS if state is State.FAILED]
    assert all((state, Input.FAIL) in TRANSITIONS for state in State if state.value in (2, 3))


def test_sending_before_the_versions_are_agreed_is_our_mistake():
    channel = Channel()
    channel.start()
    with pytest.raises(AssertionError):
        channel.send(BarrierRequest())
