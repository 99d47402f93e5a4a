"""The states of a connection and its transitions (RFC 9293, 3.3.2 and figure 5).

The figure has one arrow that is left out: a CLOSE in SYN-RECEIVED waits until the connection is
established, as 3.10.4 allows. LISTEN is what a :class:`~sdnvirt.host.tcp.listener.Listener` is;
its connections begin in SYN-RECEIVED.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class State(Enum):
    """Where a connection is; the value is its name in the RFC."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Event(Enum):
    """What makes a connection change its state; the value is what the diagram calls it."""

    PASSIVE_OPEN = "passive OPEN"
    ACTIVE_OPEN = "active OPEN, send SYN"
    SYN = "receive SYN, send SYN and ACK"
    SYN_ACK = "receive SYN and ACK, send ACK"
    ACK_OF_SYN = "receive ACK of SYN"
    CLOSE = "CLOSE, send FIN"
    FIN = "receive FIN, send ACK"
    ACK_OF_FIN = "receive ACK of FIN"
    TIMEOUT = "timeout of 2 MSL"
    LOSS = "receive RST, ABORT, or give up"


_S = State
_FIGURE_5: Final[dict[tuple[State, Event], State]] = {
    (_S.CLOSED, Event.PASSIVE_OPEN): _S.LISTEN,
    (_S.CLOSED, Event.ACTIVE_OPEN): _S.SYN_SENT,
    (_S.LISTEN, Event.SYN): _S.SYN_RECEIVED,
    (_S.SYN_SENT, Event.SYN): _S.SYN_RECEIVED,
    (_S.SYN_SENT, Event.SYN_ACK): _S.ESTABLISHED,
    (_S.SYN_SENT, Event.CLOSE): _S.CLOSED,
    (_S.SYN_RECEIVED, Event.ACK_OF_SYN): _S.ESTABLISHED,
    (_S.ESTABLISHED, Event.CLOSE): _S.FIN_WAIT_1,
    (_S.ESTABLISHED, Event.FIN): _S.CLOSE_WAIT,
    (_S.FIN_WAIT_1, Event.ACK_OF_FIN): _S.FIN_WAIT_2,
    (_S.FIN_WAIT_1, Event.FIN): _S.CLOSING,
    (_S.FIN_WAIT_2, Event.FIN): _S.TIME_WAIT,
    (_S.CLOSE_WAIT, Event.CLOSE): _S.LAST_ACK,
    (_S.CLOSING, Event.ACK_OF_FIN): _S.TIME_WAIT,
    (_S.LAST_ACK, Event.ACK_OF_FIN): _S.CLOSED,
    (_S.TIME_WAIT, Event.TIMEOUT): _S.CLOSED,
}

TRANSITIONS: Final[dict[tuple[State, Event], State]] = _FIGURE_5 | {
    (state, Event.LOSS): State.CLOSED for state in State if state is not State.CLOSED
}
"""Figure 5, and that every connection can be lost; what is not here is not possible."""

SENDING: Final = frozenset({
    State.ESTABLISHED, State.CLOSE_WAIT, State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK,
})  # fmt: skip
"""States in which data or a FIN may be on the way to the peer."""

RECEIVING: Final = frozenset({State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2})
"""States in which the peer may still send data."""


def diagram() -> str:
    """Return the transitions as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2"]
    for (state, event), following in _FIGURE_5.items():
        lines.append(f"    {state.name} --> {following.name} : {event.value}")
    return "\n".join(lines) + "\n"
