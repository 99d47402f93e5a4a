"""What a decision about a packet rests on: the bits that were really looked at.

All packets that agree in those bits share the decision. That is Open vSwitch's megaflow (Pfaff et
al., NSDI 2015): as wide as the walk allows, however many flows run through it.
"""

from __future__ import annotations

from typing import NamedTuple

from sdnvirt.datapath.fields import Fields
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.oxm import OxmField

Signature = tuple[tuple[OxmField, int], ...]
"""Fields and the bits of each that are looked at."""

Values = tuple[int | None, ...]
"""What a packet has in the bits of a signature; None where it does not have the field."""


def values_of(fields: Fields, signature: Signature) -> Values:
    """Return what a packet has in the bits of a signature."""
    return tuple(
        None if (value := fields.get(field)) is None else value & mask for field, mask in signature
    )


class Basis(NamedTuple):
    """What one decision rests on.

    Attributes:
        fields: the match fields of the packet that was decided about, as it arrived.
        consulted: the bits that were looked at; None if the decision rests on the whole flow key,
            so that no packet with another key may share it.
        touched: the fields that actions gave new values; None if that may be any.
    """

    fields: Fields
    consulted: Signature | None
    touched: frozenset[OxmField] | None

    def may_meet(self, match: Match) -> bool:
        """Whether a packet that shares the decision could match, at some table on its way.

        Never wrongly false; wrongly true where an action has overwritten what the match tests.
        """
        if self.touched is None:
            return True
        consulted = None if self.consulted is None else dict(self.consulted)
        for field, value, mask in match.fields:
            if field in self.touched:
                continue
            tested = field.limit if mask is None else mask
            if consulted is not None:
                if field not in consulted:
                    continue
                tested &= consulted[field]
            known = self.fields.get(field)
            if known is None or (known ^ value) & tested:
                return False
        return True


class Evidence:
    """What a walk has looked at so far.

    Args:
        fields: the packet's match fields as it arrived.
    """

    __slots__ = ("_consulted", "_fields", "_touched")

    def __init__(self, fields: Fields) -> None:
        self._fields = dict(fields)
        self._consulted: dict[OxmField, int] | None = {}
        self._touched: set[OxmField] | None = set()

    def look_up(self, remade: bool) -> dict[OxmField, int] | None:
        """Return where to note the bits that a look-up consults, or None: it need not be noted.

        Args:
            remade: whether an action has remade the packet's headers. Then its fields are no
                longer those with which it arrived, by which alone other packets are compared
                with it.
        """
        if remade:
            self._consulted = None
        return self._consulted

    def rest_on_key(self) -> None:
        """Say that the decision depends on more than fields that were noted."""
        self._consulted = None

    def touch(self, field: OxmField) -> None:
        """Say that an action gives a field another value."""
        if self._touched is not None:
            self._touched.add(field)

    def remake(self) -> None:
        """Say that an action adds, takes away or relabels headers."""
        self._touched = None

    def basis(self) -> Basis:
        """Return what the decision rests on."""
        consulted = None
        if self._consulted is not None:
            consulted = tuple(sorted(self._consulted.items(), key=_header))
        touched = None if self._touched is None else frozenset(self._touched)
        return Basis(self._fields, consulted, touched)


def _header(item: tuple[OxmField, int]) -> bytes:
    return item[0].header
