"""What the objects of ip have in common: how they are found, and what is said of mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6
from sdnvirt.commands.command import Failure, Surroundings, address
from sdnvirt.host.addressing import IpInterface

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface

BAD_STATUS: Final = 255
"""Exit status where the words make no sense, as iproute2 has it."""

REFUSED_STATUS: Final = 2
"""Exit status where the kernel refuses."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands before the object.

    Attributes:
        family: the version of IP that is looked at, or None for both.
        statistics: whether counters are told.
        brief: whether an object takes one line.
    """

    family: type[IpAddress] | None
    statistics: bool
    brief: bool


class Words:
    """The words behind an object's name, taken one after the other.

    Args:
        words: the words.
    """

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def __bool__(self) -> bool:
        return bool(self._words)

    def take(self, *keywords: str) -> bool:
        """Take the next word if it is one of these."""
        if self._words and self._words[0] in keywords:
            self._words.pop(0)
            return True
        return False

    def order(self, *names: str) -> bool:
        """Take the next word if one of these names begins with it, as iproute2 reads orders."""
        if self._words and any(name.startswith(self._words[0]) for name in names):
            self._words.pop(0)
            return True
        return False

    def value(self, what: str) -> str:
        """Take the next word, which says what is called so.

        Raises:
            Failure: there is none.
        """
        if not self._words:
            raise Failure(f"Command line is not complete. Missing {what}.", BAD_STATUS)
        return self._words.pop(0)

    def end(self) -> None:
        """Make sure that no word is left.

        Raises:
            Failure: there is one that means nothing here.
        """
        if self._words:
            raise garbage(self._words[0])


def garbage(word: str) -> Failure:
    """Return what is said of a word that means nothing."""
    return Failure(f'Error: either "to" is duplicate, or "{word}" is a garbage.', BAD_STATUS)


def refused(why: str) -> Failure:
    """Return what is said if the kernel would refuse."""
    return Failure(f"RTNETLINK answers: {why}", REFUSED_STATUS)


def numbered(at: Surroundings) -> Iterator[tuple[int, Interface]]:
    """Return the interfaces with their numbers, from 1, which is that of lo."""
    return enumerate(at.interfaces(), 1)


def interface_of(at: Surroundings, name: str) -> Interface:
    """Return an interface by its name.

    Raises:
        Failure: there is none.
    """
    found = at.interface(name)
    if found is None:
        raise Failure(f'Cannot find device "{name}"', 1)
    return found


def address_of(text: str) -> IpAddress:
    """Return an address.

    Raises:
        Failure: the text is none.
    """
    found = address(text)
    if found is None:
        raise Failure(f'Error: inet address is expected rather than "{text}".', 1)
    return found


def prefixed(text: str) -> IpInterface:
    """Return an address with the length of its prefix, which is the whole if it is not said.

    Raises:
        Failure: the text is none.
    """
    try:
        return ip_interface(text)
    except ValueError:
        raise Failure(f'Error: any valid prefix is expected rather than "{text}".', 1) from None


def prefix(text: str, family: type[IpAddress] | None) -> IPv4Network | IPv6Network:
    """Return a prefix; ``default`` is all addresses.

    Raises:
        Failure: the text is none, or has bits behind its length.
    """
    if text == "default":
        return IPv6Network("::/0") if family is Ipv6 else IPv4Network("0.0.0.0/0")
    try:
        return ip_network(text)
    except ValueError:
        raise Failure(f'Error: any valid prefix is expected rather than "{text}".', 1) from None


def family_name(one: IpAddress | type[IpAddress]) -> str:
    """Return what ip calls a version of IP."""
    return "inet" if one is Ipv4 or isinstance(one, Ipv4) else "inet6"
