"""A DHCP server for IPv4 as a pure machine (RFC 2131, section 4.3).

It is the authority for one subnet: it refuses addresses that it knows to be wrong there, and is
silent where another server may know better. Every message is counted under exactly one outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from ipaddress import IPv4Network
from typing import Final

from sdnvirt.addresses import ANY_IPV4, BROADCAST, BROADCAST_IPV4, Ipv4, Mac
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.functions.dhcp_leases import AddressTable, Client
from sdnvirt.host.dhcp_states import FOREVER_S
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.dhcpv4 import CLIENT_PORT, SERVER_PORT, BootpOp, DhcpMessageType, Dhcpv4
from sdnvirt.wire.dhcpv4_options import MAX_PART_LENGTH, OptionCode, OptionValue, encode_options

HEADERS_LENGTH: Final = 28
"""Bytes of IP and UDP before a message, which a client's maximum size includes."""


@dataclass(frozen=True, slots=True)
class DhcpConfig:
    """What a server gives to its clients.

    Attributes:
        server: the server's address and identifier.
        subnet: the subnet that it serves.
        lease_s: how long leases last, in seconds from 1; 0xffffffff is for ever.
        reservations: addresses of known clients by MAC address.
        pool: the first and the last address for all other clients; None to ignore those.
        routers: gateways, the best first.
        dns_servers: name servers, the best first.
        domain: domain in which names are resolved, or None.
        mtu: MTU of the clients' interfaces in bytes, or None.
        renew_s: T1 in seconds; by default half the lease.
        rebind_s: T2 in seconds; by default seven eighths of the lease.
    """

    server: Ipv4
    subnet: IPv4Network
    lease_s: int
    reservations: Mapping[Mac, Ipv4] = field(default_factory=dict)
    pool: tuple[Ipv4, Ipv4] | None = None
    routers: tuple[Ipv4, ...] = ()
    dns_servers: tuple[Ipv4, ...] = ()
    domain: str | None = None
    mtu: int | None = None
    renew_s: int | None = None
    rebind_s: int | None = None

    def __post_init__(self) -> None:
        addresses = [self.server, *self.reservations.values(), *(self.pool or ())]
        for address in addresses:
            assert self.holds(address), f"{address} is not in {self.subnet}"
        assert 1 <= self.lease_s <= FOREVER_S, "the lease time in seconds"

    def holds(self, address: Ipv4) -> bool:
        """Whether an address belongs to the subnet."""
        mask = int(self.subnet.netmask)
        return int(address) & mask == int(self.subnet.network_address)

    def parameters(self) -> dict[int, OptionValue]:
        """Return the options that do not depend on the lease."""
        values: dict[int, OptionValue | None] = {
            OptionCode.SUBNET_MASK: bytes(self.subnet.netmask.packed),
            OptionCode.ROUTER: self.routers or None,
            OptionCode.DNS_SERVER: self.dns_servers or None,
            OptionCode.DOMAIN_NAME: self.domain,
            OptionCode.INTERFACE_MTU: self.mtu,
            OptionCode.BROADCAST_ADDRESS: bytes(self.subnet.broadcast_address.packed),
        }
        return {code: value for code, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Answer:
    """A message to send.

    Attributes:
        message: the message.
        dst: destination IP address.
        port: destination port.
        mac: destination MAC address, or None to find it by ARP.
    """

    message: Dhcpv4
    dst: Ipv4
    port: int
    mac: Mac | None


class Outcome(Enum):
    """What became of a message."""

    OFFERED = "an address was offered"
    LEASED = "a lease was given or prolonged"
    REFUSED = "a request was refused"
    INFORMED = "parameters were given without a lease"
    RELEASED = "an address was given back"
    DECLINED = "an address was set aside, because its client found it in use"
    OTHER_SERVER = "the client chose another server"
    EXHAUSTED = "no address was left"
    UNKNOWN_CLIENT = "another server may know the client"
    OTHER_SUBNET = "the relay is on another subnet"
    NONSENSE = "the message breaks the rules for its type"


_Reply = tuple[Outcome, Dhcpv4 | None]


class DhcpServer:
    """The server of one subnet.

    Attributes:
        config: what it gives.
        outcomes: how many messages ended in which way.
    """

    __slots__ = ("_addresses", "config", "outcomes")

    def __init__(self, config: DhcpConfig) -> None:
        self.config = config
        self.outcomes: Counter[Outcome] = Counter()
        # Nobody else may be given what the subnet itself, its gateways and this server use.
        taken = (
            Ipv4(config.subnet.network_address), Ipv4(config.subnet.broadcast_address),
            config.server, *config.routers, *config.dns_servers,
        )  # fmt: skip
        self._addresses = AddressTable(config.reservations, config.pool, taken)

    def leases(self) -> dict[Ipv4, int]:
        """Return the leased addresses and when each ends (ns)."""
        return self._addresses.leases()

    def crash(self) -> None:
        """Lose what is not on disk: the offers. Leases and addresses set aside stay."""
        self._addresses.forget_offers()

    def handle(self, message: Dhcpv4, now: int) -> Answer | None:
        """Take a message at ``now`` (ns); return the answer and where it goes, or None."""
        outcome, reply = self._decide(message, now)
        self.outcomes[outcome] += 1
        return None if reply is None else self._address(message, reply)

    def _decide(self, message: Dhcpv4, now: int) -> _Reply:
        identifier = message.client_id
        if (
            message.op != BootpOp.REQUEST
            or message.chaddr.is_group
            or (identifier is not None and not 2 <= len(identifier) <= MAX_PART_LENGTH)
        ):
            return Outcome.NONSENSE, None  # identifiers have two bytes at least (RFC 2132, 9.14)
        if message.giaddr != ANY_IPV4 and not self.config.holds(message.giaddr):
            return Outcome.OTHER_SUBNET, None
        client = Client(message.chaddr, identifier)
        match message.message_type:
            case DhcpMessageType.DISCOVER:
                return self._discover(client, message, now)
            case DhcpMessageType.REQUEST:
                return self._request(client, message, now)
            case DhcpMessageType.DECLINE:
                return self._decline(client, message, now), None
            case DhcpMessageType.RELEASE:
                return self._release(client, message), None
            case DhcpMessageType.INFORM:
                return self._inform(message)
            case _:
                return Outcome.NONSENSE, None

    def _discover(self, client: Client, message: Dhcpv4, now: int) -> _Reply:
        address = self._addresses.offer(client, message.requested_address, now)
        if address is None:
            return Outcome.EXHAUSTED, None
        return Outcome.OFFERED, self._give(message, DhcpMessageType.OFFER, address)

    def _request(self, client: Client, message: Dhcpv4, now: int) -> _Reply:
        """Tell the client's state by what its request holds (4.3.2), and decide."""
        server, wanted, current = message.server_id, message.requested_address, message.ciaddr
        known = self._addresses.known(client, now)
        if server is not None:  # SELECTING
            if server != self.config.server:
                self._addresses.withdraw(client)
                return Outcome.OTHER_SERVER, None
            if wanted is None or current != ANY_IPV4:
                return Outcome.NONSENSE, None
            if known is None or known != wanted:
                return self._refuse(message, "the address was not offered to you")
            return self._acknowledge(client, message, known, now)
        # INIT-REBOOT names the address in an option, RENEWING and REBINDING in ciaddr.
        if (wanted is None) == (current == ANY_IPV4):
            return Outcome.NONSENSE, None
        address = current if wanted is None else wanted
        if not self.config.holds(address):
            return self._refuse(message, "the address is not of this network")
        if known is None:
            return Outcome.UNKNOWN_CLIENT, None
        if known != address:
            return self._refuse(message, "the address is not yours")
        return self._acknowledge(client, message, address, now)

    def _acknowledge(self, client: Client, message: Dhcpv4, address: Ipv4, now: int) -> _Reply:
        self._addresses.lease(client, now, self._lease_end(now))
        return Outcome.LEASED, self._give(message, DhcpMessageType.ACK, address)

    def _lease_end(self, now: int) -> int:
        lease_s = self.config.lease_s
        return NEVER if lease_s == FOREVER_S else now + lease_s * NS_PER_S

    def _decline(self, client: Client, message: Dhcpv4, now: int) -> Outcome:
        address = message.requested_address
        if message.server_id != self.config.server:
            return Outcome.OTHER_SERVER
        if address is None or not self._addresses.decline(client, address, now):
            return Outcome.NONSENSE
        return Outcome.DECLINED

    def _release(self, client: Client, message: Dhcpv4) -> Outcome:
        if message.server_id != self.config.server:
            return Outcome.OTHER_SERVER
        released = self._addresses.release(client, message.ciaddr)
        return Outcome.RELEASED if released else Outcome.NONSENSE

    def _inform(self, message: Dhcpv4) -> _Reply:
        if not self.config.holds(message.ciaddr):
            return Outcome.NONSENSE, None
        values = {**self._head(DhcpMessageType.ACK), **self._parameters(message)}
        return Outcome.INFORMED, self._reply(message, values)

    def _give(self, message: Dhcpv4, kind: DhcpMessageType, address: Ipv4) -> Dhcpv4:
        """Return the offer or acknowledgement of an address (table 3)."""
        config = self.config
        values = self._head(kind)
        values[OptionCode.LEASE_TIME] = config.lease_s
        if config.lease_s != FOREVER_S:
            values[OptionCode.RENEWAL_TIME] = config.renew_s or config.lease_s // 2
            values[OptionCode.REBINDING_TIME] = config.rebind_s or config.lease_s * 7 // 8
        values |= self._parameters(message)
        reply = self._reply(message, values)
        ciaddr = message.ciaddr if kind == DhcpMessageType.ACK else ANY_IPV4
        return replace(reply, yiaddr=address, ciaddr=ciaddr)

    def _refuse(self, message: Dhcpv4, why: str) -> _Reply:
        values = self._head(DhcpMessageType.NAK)
        values[OptionCode.MESSAGE] = why
        reply = self._reply(message, values)
        # The relay is to broadcast it: the client's address may be wrong (4.3.2).
        broadcast = message.broadcast or message.giaddr != ANY_IPV4
        return Outcome.REFUSED, replace(reply, broadcast=broadcast, ciaddr=ANY_IPV4)

    def _head(self, kind: DhcpMessageType) -> dict[int, OptionValue]:
        return {
            OptionCode.MESSAGE_TYPE: kind,
            OptionCode.SERVER_ID: bytes(self.config.server),
        }

    def _parameters(self, message: Dhcpv4) -> dict[int, OptionValue]:
        """Return what the client asks for, in its order; everything if it does not say."""
        available = self.config.parameters()
        wanted = list(message.parameter_request_list or available)
        mask, router = OptionCode.SUBNET_MASK, OptionCode.ROUTER
        if mask in wanted and router in wanted and wanted.index(router) < wanted.index(mask):
            # The mask comes before the routers, whatever the client's order (RFC 2132, 3.3).
            wanted.remove(mask)
            wanted.insert(wanted.index(router), mask)
        return {code: available[code] for code in wanted if code in available}

    def _reply(self, message: Dhcpv4, values: dict[int, OptionValue]) -> Dhcpv4:
        """Return the reply with these options, or with as many as the client can take."""
        options = encode_options(values)
        echoed = {
            code: message.options[code]
            for code in (OptionCode.CLIENT_ID, OptionCode.RELAY_AGENT)  # RFC 6842; RFC 3046, 2.2
            if code in message.options
        }
        while True:
            reply = Dhcpv4(
                BootpOp.REPLY, message.xid, message.chaddr, broadcast=message.broadcast,
                ciaddr=message.ciaddr, giaddr=message.giaddr, options=options | echoed,
            )  # fmt: skip
            too_long = len(reply.emit()) + HEADERS_LENGTH > message.max_message_size
            last = next(reversed(options))
            if not too_long or last in (OptionCode.SERVER_ID, OptionCode.LEASE_TIME):
                return reply
            del options[last]

    def _address(self, message: Dhcpv4, reply: Dhcpv4) -> Answer:
        """Say where the reply goes (4.1)."""
        if message.giaddr != ANY_IPV4:
            return Answer(reply, message.giaddr, SERVER_PORT, None)
        if reply.message_type == DhcpMessageType.NAK:
            return Answer(reply, BROADCAST_IPV4, CLIENT_PORT, BROADCAST)
        if message.ciaddr != ANY_IPV4:
            return Answer(reply, message.ciaddr, CLIENT_PORT, None)
        if message.broadcast:
            return Answer(reply, BROADCAST_IPV4, CLIENT_PORT, BROADCAST)
        return Answer(reply, reply.yiaddr, CLIENT_PORT, message.chaddr)
