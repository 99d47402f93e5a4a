"""What actions of all versions have in common: their frame, and how lists of them are read.

::

    0      2        4
    type   length   arguments, up to a multiple of 8 bytes
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from struct import Struct
from typing import ClassVar

from sdnvirt.openflow.element import (
    DataElement,
    Element,
    Family,
    FixedElement,
)
from sdnvirt.openflow.errors import BAD_ACTION, BAD_ACTION_LENGTH, BAD_ACTION_TYPE, OpenFlowError
from sdnvirt.openflow.layout import Layout


class Action(ABC):
    """An action; ``TYPE`` is its OFPAT number. Its text is what ovs-ofctl prints."""

    __slots__ = ()

    TYPE: ClassVar[int]

    @abstractmethod
    def pack(self) -> bytes:
        """Return the action's bytes, header and padding included."""


class WireAction(Element, Action):
    """An action that stands in messages."""

    __slots__ = ()

    FAMILY: ClassVar[Family] = Family(
        "an action", 8, 8, lambda detail: OpenFlowError(BAD_ACTION, BAD_ACTION_LENGTH, detail)
    )


class FixedAction(FixedElement, WireAction):
    """An action whose arguments are the values of one layout, in order."""

    __slots__ = ()

    LAYOUT: ClassVar[Struct | Layout] = Struct("!HH4x")


class DataAction(DataElement, WireAction):
    """An action whose last argument is all the bytes behind its layout."""

    __slots__ = ()


def unknown_action(kind: int) -> OpenFlowError:
    """Return the error for an action of a type that there is not."""
    return OpenFlowError(BAD_ACTION, BAD_ACTION_TYPE, f"no action has the type {kind}")


def actions_text(actions: Iterable[Action]) -> str:
    """Return actions as ovs-ofctl prints them: in order with commas, or ``drop`` for none."""
    return ",".join(map(str, actions)) or "drop"
