"""A DHCP client for IPv4 as a pure machine (RFC 2131, section 4.4 and figure 5).

Messages and time (ns) in, effects out; the states and their transitions stand in
:mod:`sdnvirt.host.dhcp_states`. A client takes the first offer that it can use. It does not probe
the address (section 3.1.5 has it as a SHOULD): the platform's address plan leaves no doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from sdnvirt.addresses import ANY_IPV4, BROADCAST_IPV4, Ipv4, Mac
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.dhcp_states import (
    TRANSITIONS,
    Bound,
    Event,
    Exchange,
    Init,
    Lease,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    State,
    lease_of,
)
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.dhcpv4 import BootpOp, DhcpMessageType, Dhcpv4
from sdnvirt.wire.dhcpv4_options import OptionCode, OptionValue, encode_options

BACKOFF_S: Final = (4, 8, 16, 32, 64)
"""Seconds before each repetition, the last one for all that follow (RFC 2131, 4.1)."""

JITTER_NS: Final = NS_PER_S
"""Each delay is shifted by up to this much, either way (RFC 2131, 4.1)."""

REQUEST_LIMIT: Final = 4
"""Requests for an offered address before the client begins again: 60 s (RFC 2131, 3.1, 5)."""

MIN_RENEW_INTERVAL_NS: Final = 60 * NS_PER_S
"""Least time between repeated requests to renew (RFC 2131, 4.4.5)."""

RESTART_DELAY_NS: Final = NS_PER_S
"""Pause after a refusal, so that a server that refuses always cannot make the client spin."""

PARAMETERS: Final = (
    OptionCode.SUBNET_MASK, OptionCode.ROUTER, OptionCode.DNS_SERVER, OptionCode.DOMAIN_NAME,
    OptionCode.INTERFACE_MTU, OptionCode.LEASE_TIME, OptionCode.RENEWAL_TIME,
    OptionCode.REBINDING_TIME,
)  # fmt: skip
"""What the client asks for, the dearest first."""


@dataclass(frozen=True, slots=True)
class Send:
    """Effect: send the message to this address, broadcast from 0.0.0.0 or unicast from ours."""

    message: Dhcpv4
    dst: Ipv4


@dataclass(frozen=True, slots=True)
class Configure:
    """Effect: the interface has this lease from now on."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Deconfigure:
    """Effect: the interface must not use its address any longer."""


Effect = Send | Configure | Deconfigure


class DhcpClient:
    """The client of one interface.

    Attributes:
        state: one of the state classes above.
    """

    __slots__ = (
        "_broadcast", "_client_id", "_hostname", "_mac", "_previous", "_random", "state",
    )  # fmt: skip

    def __init__(
        self,
        mac: Mac,
        random: Random,
        *,
        broadcast: bool = False,
        client_id: bytes | None = None,
        hostname: str | None = None,
    ) -> None:
        """Make a client that waits for :meth:`start`.

        Args:
            mac: hardware address of the interface.
            random: stream for transactions and jitter.
            broadcast: whether servers have to broadcast their answers (section 4.1).
            client_id: what identifies the client instead of its MAC address, or None.
            hostname: told to servers, or None.
        """
        self._mac = mac
        self._random = random
        self._broadcast = broadcast
        self._client_id = client_id
        self._hostname = hostname
        self._previous: Ipv4 | None = None
        self.state: State = Init(NEVER)

    @property
    def lease(self) -> Lease | None:
        """The lease that the client has now, or None."""
        state = self.state
        return state.lease if isinstance(state, (Bound, Renewing, Rebinding)) else None

    def start(self, now: int, previous: Ipv4 | None = None) -> list[Effect]:
        """Begin to ask for an address, first for one from before if there is one."""
        assert isinstance(self.state, Init), "a client is started once"
        self._previous = previous
        self.state = Init(now)
        return self.tick(now)

    def receive(self, message: Dhcpv4, now: int) -> list[Effect]:
        """Take a message; those that are not for this client at this moment are ignored."""
        state = self.state
        if isinstance(state, (Init, Bound)) or message.op != BootpOp.REPLY:
            return []
        if message.xid != state.exchange.xid or message.chaddr != self._mac:
            return []
        match message.message_type:
            case DhcpMessageType.OFFER:
                return self._offered(message, now)
            case DhcpMessageType.ACK:
                return self._acknowledged(message, now)
            case DhcpMessageType.NAK:
                # Another server than the chosen one has no say (section 3.1, 3).
                if isinstance(state, Requesting) and message.server_id != state.offer.server_id:
                    return []
                return self._restart(Event.NAK, now + RESTART_DELAY_NS)
            case _:
                return []

    def tick(self, now: int) -> list[Effect]:
        """Do what is due at ``now``."""
        effects: list[Effect] = []
        while self.next_timeout() <= now:
            effects += self._timeout(now)
        return effects

    def next_timeout(self) -> int:
        """Return the time (ns) at which :meth:`tick` has something to do, or NEVER."""
        match self.state:
            case Init(begin_ns):
                return begin_ns
            case Bound(lease):
                return lease.renew_ns
            case Renewing(lease, exchange):
                return min(exchange.due_ns, lease.rebind_ns)
            case Rebinding(lease, exchange):
                return min(exchange.due_ns, lease.expire_ns)
            case Selecting() | Requesting() | Rebooting() as state:
                return state.exchange.due_ns

    def release(self, now: int) -> list[Effect]:
        """Give the address back and stop (section 4.4.6)."""
        lease = self.lease
        if lease is None:
            self.state = Init(NEVER)
            return []
        values: dict[int, OptionValue] = {OptionCode.SERVER_ID: lease.server}
        exchange = self._exchange(now, self._xid(), now, NEVER)
        message = self._message(DhcpMessageType.RELEASE, exchange, values, 0, ciaddr=lease.ip)
        return [Send(message, lease.server), *self._restart(Event.RELEASE, NEVER)]

    def _offered(self, message: Dhcpv4, now: int) -> list[Effect]:
        state = self.state
        if not isinstance(state, Selecting) or lease_of(message, now) is None:
            return []
        old = state.exchange
        exchange = self._exchange(old.since_ns, old.xid, now, now + self._backoff(1))
        # The request repeats the xid and the secs of the discover (section 4.4.1).
        self._enter(Requesting(exchange, message, _secs(old.since_ns, now)), Event.OFFER)
        return [self._request()]

    def _acknowledged(self, message: Dhcpv4, now: int) -> list[Effect]:
        state = self.state
        if isinstance(state, (Init, Bound, Selecting)):
            return []
        lease = lease_of(message, state.exchange.asked_ns)
        if lease is None or lease.expire_ns <= now:  # a short lease may be over before it comes
            return []
        effects: list[Effect] = []
        if isinstance(state, (Renewing, Rebinding)) and state.lease.address != lease.address:
            effects.append(Deconfigure())
        self._enter(Bound(lease), Event.ACK)
        return [*effects, Configure(lease)]

    def _timeout(self, now: int) -> list[Effect]:
        match self.state:
            case Init():
                return [self._begin(now)]
            case Bound(lease):
                return [self._renew(lease, now)]
            case Renewing(lease, exchange) if now >= lease.rebind_ns:
                return [self._rebind(lease, now)]
            case Rebinding(lease) if now >= lease.expire_ns:
                return self._restart(Event.EXPIRED, now)
            case Renewing(lease, exchange):
                due_ns = _halfway(now, lease.rebind_ns)
                self.state = Renewing(lease, _again(exchange, due_ns))
            case Rebinding(lease, exchange):
                due_ns = _halfway(now, lease.expire_ns)
                self.state = Rebinding(lease, _again(exchange, due_ns))
            case Requesting(exchange) | Rebooting(exchange) if exchange.asked >= REQUEST_LIMIT:
                return self._restart(Event.UNANSWERED, now)
            case Requesting(exchange, offer, secs):
                self.state = Requesting(self._repeated(exchange, now), offer, secs)
            case Rebooting(exchange, address):
                self.state = Rebooting(self._repeated(exchange, now), address)
            case Selecting(exchange):
                self.state = Selecting(self._repeated(exchange, now))
                return [self._discover(now)]
        return [self._request()]

    def _begin(self, now: int) -> Send:
        exchange = self._exchange(now, self._xid(), now, now + self._backoff(1))
        if self._previous is not None:
            self._enter(Rebooting(exchange, self._previous), Event.REMEMBER)
            self._previous = None
            return self._request()
        self._enter(Selecting(exchange), Event.BEGIN)
        return self._discover(now)

    def _renew(self, lease: Lease, now: int) -> Send:
        exchange = self._exchange(now, self._xid(), now, _halfway(now, lease.rebind_ns))
        self._enter(Renewing(lease, exchange), Event.T1)
        return self._request()

    def _rebind(self, lease: Lease, now: int) -> Send:
        exchange = self._exchange(now, self._xid(), now, _halfway(now, lease.expire_ns))
        self._enter(Rebinding(lease, exchange), Event.T2)
        return self._request()

    def _restart(self, event: Event, begin_ns: int) -> list[Effect]:
        """Lose what there was and begin again, unless the state does not provide for it."""
        if (type(self.state), event) not in TRANSITIONS:
            return []
        effects: list[Effect] = [] if self.lease is None else [Deconfigure()]
        self._enter(Init(begin_ns), event)
        return effects

    def _enter(self, state: State, event: Event) -> None:
        assert TRANSITIONS.get((type(self.state), event)) is type(state), (self.state, event)
        self.state = state

    def _exchange(self, since_ns: int, xid: int, now: int, due_ns: int) -> Exchange:
        return Exchange(xid, since_ns, asked_ns=now, asked=1, due_ns=due_ns)

    def _repeated(self, exchange: Exchange, now: int) -> Exchange:
        return _again(exchange, now + self._backoff(exchange.asked + 1))

    def _xid(self) -> int:
        return self._random.getrandbits(32)

    def _backoff(self, asked: int) -> int:
        """Return how long to wait (ns) after a question was sent for the given time."""
        delay_s = BACKOFF_S[min(asked, len(BACKOFF_S)) - 1]
        jitter = int((2 * self._random.random() - 1) * JITTER_NS)
        return delay_s * NS_PER_S + jitter

    def _discover(self, now: int) -> Send:
        assert isinstance(self.state, Selecting)
        exchange = self.state.exchange
        secs = _secs(exchange.since_ns, now)
        message = self._message(DhcpMessageType.DISCOVER, exchange, {}, secs)
        return Send(message, BROADCAST_IPV4)

    def _request(self) -> Send:
        """Return the request of the present state (section 4.3.2, and table 4)."""
        kind = DhcpMessageType.REQUEST
        match self.state:
            case Requesting(exchange, offer, secs):
                assert offer.server_id is not None, "checked when it came"
                values: dict[int, OptionValue] = {
                    OptionCode.REQUESTED_ADDRESS: offer.yiaddr,
                    OptionCode.SERVER_ID: offer.server_id,
                }
                return Send(self._message(kind, exchange, values, secs), BROADCAST_IPV4)
            case Rebooting(exchange, address):
                values = {OptionCode.REQUESTED_ADDRESS: address}
                return Send(self._message(kind, exchange, values, 0), BROADCAST_IPV4)
            case Renewing(lease, exchange):
                return Send(self._message(kind, exchange, {}, 0, ciaddr=lease.ip), lease.server)
            case Rebinding(lease, exchange):
                return Send(self._message(kind, exchange, {}, 0, ciaddr=lease.ip), BROADCAST_IPV4)
            case state:
                raise AssertionError(f"nothing is requested in {state}")

    def _message(
        self,
        kind: DhcpMessageType,
        exchange: Exchange,
        values: dict[int, OptionValue],
        secs: int,
        ciaddr: Ipv4 = ANY_IPV4,
    ) -> Dhcpv4:
        options: dict[int, OptionValue] = {OptionCode.MESSAGE_TYPE: kind}
        if self._client_id is not None:
            options[OptionCode.CLIENT_ID] = self._client_id
        options |= values
        if kind != DhcpMessageType.RELEASE:
            if self._hostname is not None:
                options[OptionCode.HOSTNAME] = self._hostname
            options[OptionCode.PARAMETER_REQUEST_LIST] = tuple(map(int, PARAMETERS))
        # Who has an address can take unicast.
        broadcast = self._broadcast and ciaddr == ANY_IPV4
        return Dhcpv4(
            BootpOp.REQUEST, exchange.xid, self._mac, secs, broadcast, ciaddr,
            options=encode_options(options),
        )  # fmt: skip


def _again(exchange: Exchange, due_ns: int) -> Exchange:
    return Exchange(
        exchange.xid, exchange.since_ns, exchange.asked_ns, exchange.asked + 1, due_ns
    )  # fmt: skip


def _secs(since_ns: int, now: int) -> int:
    return min((now - since_ns) // NS_PER_S, 0xFFFF)


def _halfway(now: int, end_ns: int) -> int:
    """When to repeat a request to renew: after half the time that is left (section 4.4.5)."""
    return now + max((end_ns - now) // 2, MIN_RENEW_INTERVAL_NS)
