"""The addresses of a DHCP server: who has which, until when (RFC 2131, 4.3.1).

All offers are held equally long, and so are all leases. So the order in which they were made is
the order in which they end, and ageing looks only at the first of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sdnvirt.addresses import Ipv4, Mac

OFFER_HOLD_NS: Final = 60 * 10**9
"""How long an offered address is kept for its client, as long as a client asks for it."""

DECLINE_HOLD_NS: Final = 600 * 10**9
"""How long an address that somebody else was found to use is not given out."""

TABLE_LIMIT: Final = 65_536
"""Dynamic addresses ever given out: a /16. What hostile clients can make the server remember."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who an address is for: the client identifier if there is one, else the MAC (RFC 2131, 4.2).

    A reserved address is its MAC address's, whatever identifier the client sends: the address
    plan of the platform knows MAC addresses.
    """

    mac: Mac
    identifier: bytes | None


@dataclass(frozen=True, slots=True)
class Binding:
    """An address that is offered to, or leased by, a client until some time (ns)."""

    address: Ipv4
    until_ns: int


class AddressTable:
    """The addresses of one subnet."""

    __slots__ = (
        "_declined", "_free", "_holders", "_leases", "_next", "_offers", "_pool", "_previous",
        "_reservations", "_reserved",
    )  # fmt: skip

    def __init__(
        self,
        reservations: Mapping[Mac, Ipv4],
        pool: tuple[Ipv4, Ipv4] | None,
        taken: Iterable[Ipv4] = (),
    ) -> None:
        """Begin with nothing given out.

        Args:
            reservations: addresses of known MAC addresses.
            pool: the first and the last address for all others; None for no such.
            taken: addresses in the pool that are nevertheless for nobody.
        """
        self._reservations = dict(reservations)
        self._reserved = frozenset([*reservations.values(), *taken])
        self._pool = range(int(pool[0]), int(pool[1]) + 1) if pool else range(0)
        self._next = iter(self._pool)
        self._offers: dict[bytes, Binding] = {}
        self._leases: dict[bytes, Binding] = {}
        self._holders: dict[Ipv4, bytes] = {}
        self._declined: dict[Ipv4, int] = {}
        # Addresses that were given back, the longest ago first, with who had them last.
        self._free: dict[Ipv4, bytes] = {}
        self._previous: dict[bytes, Ipv4] = {}

    def __len__(self) -> int:
        return len(self._holders) + len(self._free) + len(self._declined)

    def leases(self) -> dict[Ipv4, int]:
        """Return the leased addresses and when each ends (ns)."""
        return {binding.address: binding.until_ns for binding in self._leases.values()}

    def known(self, client: Client, now: int) -> Ipv4 | None:
        """Return the address on record for a client: reserved, leased, offered or its last one."""
        self._age(now)
        reserved = self._reservations.get(client.mac)
        if reserved is not None:
            return reserved
        key = self._key(client)
        binding = self._leases.get(key) or self._offers.get(key)
        return binding.address if binding else self._previous.get(key)

    def offer(self, client: Client, wanted: Ipv4 | None, now: int) -> Ipv4 | None:
        """Choose an address for a client and hold it for a while.

        Args:
            client: who asks.
            wanted: the address that it would like, or None.
            now: ns.

        Returns:
            the address, or None if there is none left.
        """
        address = self.known(client, now)
        key = self._key(client)
        if address is None:
            address = wanted if wanted is not None and self._is_free(wanted) else self._unused()
        if address is not None and key not in self._leases:
            self._take(address, key)
            self._offers.pop(key, None)
            self._offers[key] = Binding(address, now + OFFER_HOLD_NS)
        return address

    def lease(self, client: Client, now: int, until_ns: int) -> None:
        """Let the client have the address on record for it until some time (ns)."""
        key = self._key(client)
        address = self.known(client, now)
        assert address is not None, "only an address on record is leased"
        self._take(address, key)
        self._offers.pop(key, None)
        self._leases.pop(key, None)
        self._leases[key] = Binding(address, until_ns)

    def release(self, client: Client, address: Ipv4) -> bool:
        """Take an address back; return whether the client had it."""
        key = self._key(client)
        binding = self._leases.get(key)
        if binding is None or binding.address != address:
            return False
        del self._leases[key]
        self._give_back(address, key)
        return True

    def withdraw(self, client: Client) -> None:
        """Take back what was offered to a client that chose another server."""
        key = self._key(client)
        binding = self._offers.pop(key, None)
        if binding is not None:
            self._give_back(binding.address, key)

    def forget_offers(self) -> None:
        """Take back what was offered and not leased yet."""
        for key, binding in list(self._offers.items()):
            del self._offers[key]
            self._give_back(binding.address, key)

    def decline(self, client: Client, address: Ipv4, now: int) -> bool:
        """Set an address aside that its client found in use; return whether it was its client's.

        A reserved address stays its client's: the address plan says so, and not a packet.
        """
        key = self._key(client)
        binding = self._leases.get(key) or self._offers.get(key)
        if binding is None or binding.address != address:
            return False
        self._leases.pop(key, None)
        self._offers.pop(key, None)
        del self._holders[address]
        if address not in self._reserved:
            self._declined[address] = now + DECLINE_HOLD_NS
        return True

    def _key(self, client: Client) -> bytes:
        # The first byte keeps an identifier from looking like somebody's MAC address.
        if client.identifier is None or client.mac in self._reservations:
            return b"\0" + client.mac
        return b"\1" + client.identifier

    def _age(self, now: int) -> None:
        for table in (self._offers, self._leases):
            while table and (first := next(iter(table.items())))[1].until_ns <= now:
                key, binding = first
                del table[key]
                self._give_back(binding.address, key)
        while self._declined and (oldest := next(iter(self._declined.items())))[1] <= now:
            del self._declined[oldest[0]]
            self._free[oldest[0]] = b""

    def _take(self, address: Ipv4, key: bytes) -> None:
        self._holders[address] = key
        last = self._free.pop(address, None)
        if last is not None:
            self._previous.pop(last, None)

    def _give_back(self, address: Ipv4, key: bytes) -> None:
        if self._holders.get(address) != key:
            return
        del self._holders[address]
        if address not in self._reserved:
            self._free[address] = key
            self._previous[key] = address

    def _is_free(self, address: Ipv4) -> bool:
        return address in self._free or (int(address) in self._pool and self._is_new(address))

    def _is_new(self, address: Ipv4) -> bool:
        """Whether an address of the pool may be given out for the first time."""
        return (
            address not in self._reserved
            and address not in self._holders
            and address not in self._declined
            and address not in self._free
            and len(self) < TABLE_LIMIT
        )

    def _unused(self) -> Ipv4 | None:
        """Return an address that was never given out, else the one that is free for longest."""
        if len(self) < TABLE_LIMIT:
            for number in self._next:
                address = Ipv4(number)
                if self._is_new(address):
                    return address
        return next(iter(self._free), None)
