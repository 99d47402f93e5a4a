"""Channels that speak OpenFlow 1.0, 1.3 or both agree on one of them, and then speak it."""

from __future__ import annotations

import pytest

from sdnvirt.openflow.channel import Channel, Established, Failed, Received, Refused
from sdnvirt.openflow.header import frame, read_header
from sdnvirt.openflow.symmetric import EchoReply, EchoRequest, Error, Hello
from sdnvirt.openflow.v10 import barrier as barrier10
from sdnvirt.openflow.v10 import codec as v10
from sdnvirt.openflow.v10.error_codes import OFPBAC, OFPBRC, OFPET, OFPHFC
from sdnvirt.openflow.v10.packets import PacketOut
from sdnvirt.openflow.v13 import barrier as barrier13


def started(versions):
    channel = Channel(versions)
    channel.start()
    return channel


def connected(hello):
    """A channel that speaks both versions, whose peer has said ``hello``."""
    channel = started((1, 4))
    channel.outgoing()
    (event,) = channel.receive(hello)
    assert event == Established(1)
    return channel


def answer_of(channel):
    wire = channel.outgoing()
    assert read_header(wire).length == len(wire)
    return v10.decode(wire)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"),
    [
        ((1, 4), (1, 4), 4),
        ((1, 4), (4,), 4),
        ((1, 4), (1,), 1),
        ((1,), (1, 4), 1),
        ((1,), (1,), 1),
        ((4,), (1, 4), 4),
    ],
)
def test_two_channels_agree_on_the_highest_version_of_both(ours, theirs, agreed):
    switch, controller = started(ours), started(theirs)
    hello = switch.outgoing()
    assert switch.receive(controller.outgoing()) == [Established(agreed)]
    assert controller.receive(hello) == [Established(agreed)]
    request = {1: barrier10, 4: barrier13}[agreed].BarrierRequest()
    xid = controller.send(request)
    assert switch.receive(controller.outgoing()) == [Received(xid, request)]


@pytest.mark.parametrize(
    ("version", "bitmap", "agreed"),
    [
        (1, None, 1),
        (4, None, 4),
        (5, None, 4),
        (6, (1, 6), 1),
        (6, (1, 4, 6), 4),
        (4, (1,), 1),
    ],
)
def test_a_bitmap_decides_and_otherwise_the_lower_version(version, bitmap, agreed):
    channel = started((1, 4))
    hello = frame(version, Hello.TYPE, 1, Hello(bitmap).pack())
    assert channel.receive(hello) == [Established(agreed)]


@pytest.mark.parametrize(("version", "bitmap"), [(2, None), (3, None), (6, (2, 3, 5))])
def test_versions_between_the_two_are_not_spoken(version, bitmap):
    channel = started((1, 4))
    channel.outgoing()
    (failed,) = channel.receive(frame(version, Hello.TYPE, 9, Hello(bitmap).pack()))
    assert isinstance(failed, Failed)
    wire = channel.outgoing()
    error = Error.unpack(wire, 8, len(wire))
    assert read_header(wire).version == min(version, 4)
    assert (error.error_type, error.code) == (OFPET.HELLO_FAILED, OFPHFC.INCOMPATIBLE)


def test_a_channel_of_version_1_says_a_hello_without_a_body():
    assert started((1,)).outgoing() == frame(1, Hello.TYPE, 1, b"")
    assert started((1, 4)).outgoing() == frame(4, Hello.TYPE, 1, Hello((1, 4)).pack())


@pytest.mark.parametrize("body", [b"", b"\0", bytes.fromhex("0001000000000010")])
def test_the_body_of_a_hello_of_version_1_has_no_meaning(body):
    connected(frame(1, Hello.TYPE, 1, body))


def test_after_agreement_messages_are_those_of_version_1():
    channel = connected(frame(1, Hello.TYPE, 7, b""))
    message = PacketOut(data=b"packet")
    assert channel.receive(v10.encode(message, 8)) == [Received(8, message)]
    assert channel.receive(v10.encode(EchoRequest(b"there?"), 9)) == []
    assert answer_of(channel) == (9, EchoReply(b"there?"))


def test_after_agreement_another_version_is_refused():
    channel = connected(frame(1, Hello.TYPE, 7, b""))
    wire = frame(4, barrier13.BarrierRequest.TYPE, 8, b"")
    (refused,) = channel.receive(wire)
    assert isinstance(refused, Refused)
    assert answer_of(channel) == (8, Error(OFPET.BAD_REQUEST, OFPBRC.BAD_VERSION, wire))


def test_a_malformed_message_is_refused_in_the_numbers_of_version_1():
    channel = connected(frame(1, Hello.TYPE, 7, b""))
    wire = frame(1, PacketOut.TYPE, 8, bytes.fromhex("fffffffffffd0008 000c000800000000"))
    (refused,) = channel.receive(wire)
    assert isinstance(refused, Refused)
    assert answer_of(channel) == (8, Error(OFPET.BAD_ACTION, OFPBAC.BAD_TYPE, wire))
