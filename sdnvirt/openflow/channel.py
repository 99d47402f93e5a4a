"""The OpenFlow channel: bytes in, events out, bytes out (OpenFlow 1.3.5, 6.3).

Either end of a connection. The caller owns the connection and the clock::

    channel.start()
    for event in channel.receive(data): ...      # bytes from the peer
    connection.send(channel.outgoing())          # after each of the calls
    channel.tick(now_ns)                         # when channel.next_timeout() has come

The channel negotiates the version, cuts the stream into messages, answers echo requests and
malformed messages itself, and watches that the peer lives. Everything else is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from sdnvirt.openflow.codec import Codec
from sdnvirt.openflow.errors import (
    BAD_LENGTH,
    BAD_REQUEST,
    BAD_VERSION,
    HELLO_FAILED,
    INCOMPATIBLE,
    OpenFlowError,
)
from sdnvirt.openflow.header import HEADER_SIZE, Header, frame, read_header
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import EchoReply, EchoRequest, Error, Hello
from sdnvirt.openflow.versions import ByVersion

ERROR_DATA_SIZE: Final = 64
"""Bytes of a refused message that the answer carries: the least that 7.4.4 allows."""

ECHO_IDLE_NS: Final = 5_000_000_000
"""Silence after which the peer is asked whether it lives; Open vSwitch's default probe interval."""

ECHO_TIMEOUT_NS: Final = 5_000_000_000
"""Time in which the peer must then say something; as long again, as in Open vSwitch."""

HELLO_BITMAP_VERSION: Final = 4
"""The lowest version whose HELLO has elements; the bodies of older ones have no meaning."""

_ECHOES: Final = (EchoRequest.TYPE, EchoReply.TYPE)

XID_MAX: Final = 0xFFFFFFFF


def _codec10() -> Codec:
    from sdnvirt.openflow.v10.codec import CODEC

    return CODEC


def _codec13() -> Codec:
    from sdnvirt.openflow.v13.codec import CODEC

    return CODEC


CODECS: Final = ByVersion({1: _codec10, 4: _codec13})
"""The codec of each wire version."""


@dataclass(frozen=True, slots=True)
class Established:
    """Both sides agreed on a wire version."""

    version: int


@dataclass(frozen=True, slots=True)
class Received:
    """The peer sent a message that is not the channel's own business.

    Attributes:
        xid: its transaction id.
        message: what it says.
        data: its bytes, for an error that answers it; of no weight when events are compared.
    """

    xid: int
    message: Message
    data: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The peer sent a malformed message, and was answered with this error."""

    xid: int
    error: OpenFlowError


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection must be closed, after what is outgoing has been sent."""

    reason: str


Event = Established | Received | Refused | Failed


class State(Enum):
    """What a channel is doing."""

    IDLE = auto()
    NEGOTIATING = auto()
    ESTABLISHED = auto()
    FAILED = auto()


class Input(Enum):
    """What moves a channel from one state to another."""

    START = auto()
    AGREE = auto()
    FAIL = auto()


TRANSITIONS: Final[dict[tuple[State, Input], State]] = {
    (State.IDLE, Input.START): State.NEGOTIATING,
    (State.NEGOTIATING, Input.AGREE): State.ESTABLISHED,
    (State.NEGOTIATING, Input.FAIL): State.FAILED,
    (State.ESTABLISHED, Input.FAIL): State.FAILED,
}
"""All transitions; what is not here cannot happen."""


class _Silence(Enum):
    """What a peer's silence calls for."""

    PATIENCE = auto()
    PROBE = auto()
    FAILURE = auto()


class _KeepAlive:
    """Whether the peer lives. Hearing anything counts, whenever the next tick comes."""

    __slots__ = ("_asked", "_deadline", "_heard", "_idle_ns", "_timeout_ns")

    def __init__(self, idle_ns: int, timeout_ns: int) -> None:
        self._idle_ns = idle_ns
        self._timeout_ns = timeout_ns
        self._deadline = 0
        self._heard = True
        self._asked = False

    @property
    def deadline(self) -> int:
        """When the next tick is due, in ns; 0, at once, until the first."""
        return self._deadline

    def hear(self) -> None:
        """Note that the peer said something."""
        self._heard = True

    def tick(self, now_ns: int) -> _Silence:
        """Take the time and return what to do about the silence until now."""
        if now_ns < self._deadline:
            return _Silence.PATIENCE
        if self._heard:
            self._heard = self._asked = False
            self._deadline = now_ns + self._idle_ns
            return _Silence.PATIENCE
        if self._asked:
            return _Silence.FAILURE
        self._asked = True
        self._deadline = now_ns + self._timeout_ns
        return _Silence.PROBE


class Channel:
    """One end of a connection between a switch and a controller.

    Args:
        versions: wire versions to speak, each with a codec in ``CODECS``.
        echo_idle_ns: silence after which the peer is asked whether it lives, or None to trust
            the transport, as an embedded controller's can be trusted.
        echo_timeout_ns: time in which it must then say something.
    """

    def __init__(
        self,
        versions: tuple[int, ...] = (4,),
        echo_idle_ns: int | None = ECHO_IDLE_NS,
        echo_timeout_ns: int = ECHO_TIMEOUT_NS,
    ) -> None:
        assert CODECS.keys() >= set(versions), f"no codec for all of {versions}"
        self._versions = tuple(sorted(versions))
        self._state = State.IDLE
        self._version = self._versions[-1]
        self._codec = CODECS[self._version]
        self._buffer = b""
        self._read = 0
        self._outgoing: list[bytes] = []
        self._next_xid = 1
        self._keep_alive = (
            None if echo_idle_ns is None else _KeepAlive(echo_idle_ns, echo_timeout_ns)
        )

    @property
    def state(self) -> State:
        """What the channel is doing."""
        return self._state

    @property
    def established(self) -> bool:
        """Whether messages can be sent."""
        return self._state is State.ESTABLISHED

    def start(self) -> None:
        """Queue the HELLO; the connection is there."""
        self._step(Input.START)
        has_bitmap = self._version >= HELLO_BITMAP_VERSION
        hello = Hello(self._versions if has_bitmap else None)
        self._outgoing.append(frame(self._version, hello.TYPE, self._take_xid(), hello.pack()))

    def send(self, message: Message, xid: int | None = None) -> int:
        """Queue a message.

        Args:
            message: any of the agreed version.
            xid: that of the request that it answers, or None for the next number.

        Returns:
            The xid that it is sent with.
        """
        assert self._state is State.ESTABLISHED, f"sent in state {self._state.name}"
        if xid is None:
            xid = self._take_xid()
        self._outgoing.append(self._codec.encode(message, xid))
        return xid

    def outgoing(self) -> bytes:
        """Return all bytes that are to be sent now, and forget them."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes from the peer and return what they mean, in order; see :meth:`events`."""
        return list(self.events(data))

    def events(self, data: bytes) -> Iterator[Event]:
        """Take bytes from the peer and yield what they mean, in order.

        A message is looked at when the caller is done with the one before. So what the caller
        and the channel answer goes out in the order of what is answered, as a barrier asks for
        (7.3.8).

        The bytes of an unfinished message are kept: less than 64 KiB. After a failure nothing
        is.
        """
        assert self._state is not State.IDLE, "received before start()"
        if self._keep_alive is not None:
            self._keep_alive.hear()
        self._buffer += data
        # All is kept in the channel, as bytes may come while the caller has one of the events.
        while self._state is not State.FAILED and len(self._buffer) - self._read >= HEADER_SIZE:
            start = self._read
            try:
                header = read_header(self._buffer, start)
            except OpenFlowError as error:
                self._refuse(BAD_REQUEST, BAD_LENGTH, 0, self._buffer[start:])
                yield self._fail(error.detail)
                break
            end = start + header.length
            if end > len(self._buffer):
                break
            self._read = end
            yield from self._dispatch(header, self._buffer[start:end])
        self._buffer = b"" if self._state is State.FAILED else self._buffer[self._read :]
        self._read = 0

    def next_timeout(self) -> int | None:
        """Return when :meth:`tick` is due in ns, 0 for at once, or None for never."""
        if self._keep_alive is None or self._state is not State.ESTABLISHED:
            return None
        return self._keep_alive.deadline

    def tick(self, now_ns: int) -> list[Event]:
        """Take the time and return what it means: nothing, or that the peer is gone."""
        if self._keep_alive is None or self._state is not State.ESTABLISHED:
            return []
        silence = self._keep_alive.tick(now_ns)
        if silence is _Silence.FAILURE:
            return [self._fail("the peer does not answer echo requests")]
        if silence is _Silence.PROBE:
            self.send(EchoRequest())
        return []

    def _step(self, happened: Input) -> None:
        self._state = TRANSITIONS[self._state, happened]

    def _fail(self, reason: str) -> Failed:
        self._step(Input.FAIL)
        return Failed(reason)

    def _take_xid(self) -> int:
        xid = self._next_xid
        self._next_xid = xid % XID_MAX + 1
        return xid

    def _refuse(self, error_type: int, code: int, xid: int, data: bytes) -> None:
        error = Error(error_type, code, data[:ERROR_DATA_SIZE])
        self._outgoing.append(frame(self._version, error.TYPE, xid, error.pack()))

    def _dispatch(self, header: Header, data: bytes) -> list[Event]:
        if self._state is State.NEGOTIATING:
            return [self._negotiate(header, data)]
        if header.type == Hello.TYPE:
            return []  # a second HELLO changes nothing
        try:
            if header.version != self._version:
                detail = f"wire version {header.version} is not {self._version}"
                raise OpenFlowError(BAD_REQUEST, BAD_VERSION, detail)
            message = self._codec.unpack(header.type, data)
        except OpenFlowError as error:
            if header.type != Error.TYPE:  # errors are not answered with errors
                self._refuse(error.error_type, error.code, header.xid, data)
            return [Refused(header.xid, error)]
        if header.type not in _ECHOES:
            return [Received(header.xid, message, data)]
        if isinstance(message, EchoRequest):
            self.send(EchoReply(message.data), header.xid)
        return []  # that it came is what counts

    def _negotiate(self, header: Header, data: bytes) -> Event:
        """Agree on a version by the peer's first message (6.3.1)."""
        if header.type == Error.TYPE:
            return self._fail("the peer refuses the connection")
        if header.type != Hello.TYPE:
            return self._disagree(header, f"a message of type {header.type} before the HELLO")
        try:
            offered = _versions_offered(header, data)
        except OpenFlowError as error:
            return self._disagree(header, error.detail)
        if offered is None:
            version = min(header.version, self._versions[-1])
        else:
            version = max(set(offered) & set(self._versions), default=0)
        if version not in self._versions:
            spoken = ", ".join(map(str, self._versions))
            return self._disagree(header, f"no wire version in common; spoken here: {spoken}")
        self._version = version
        self._codec = CODECS[version]
        self._step(Input.AGREE)
        return Established(version)

    def _disagree(self, header: Header, reason: str) -> Failed:
        # In the lower of the two versions, which is the one that both may be able to read.
        self._version = min(header.version, self._versions[-1])
        self._refuse(HELLO_FAILED, INCOMPATIBLE, header.xid, reason.encode())
        return self._fail(reason)


def _versions_offered(header: Header, data: bytes) -> tuple[int, ...] | None:
    if header.version < HELLO_BITMAP_VERSION:
        return None
    return Hello.unpack(data, HEADER_SIZE, header.length).versions
