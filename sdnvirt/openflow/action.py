"""What actions of all versions have in common: their frame, and how lists of them are read.

::

    0      2        4
    type   length   arguments, up to a multiple of 8 bytes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from struct import Struct
from typing import ClassVar, Final, Self, TypeVar

from sdnvirt.openflow.errors import BAD_ACTION, BAD_ACTION_LENGTH, BAD_ACTION_TYPE, OpenFlowError

_HEADER: Final = Struct("!HH")
_PLAIN: Final = Struct("!HH4x")

MIN_SIZE: Final = 8
"""Bytes of the shortest action; all are multiples of it."""


class Action:
    """An action; ``TYPE`` is its OFPAT number. Its text is what ovs-ofctl prints."""

    __slots__ = ()

    TYPE: ClassVar[int]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the action that is ``data[start:end]``, whose type and length were checked.

        Raises:
            OpenFlowError: the arguments break the specification (OFPET_BAD_ACTION).
        """
        raise NotImplementedError

    def pack(self) -> bytes:
        """Return the action's bytes, header and padding included."""
        raise NotImplementedError


class FixedAction(Action):
    """An action whose arguments are the values of one struct layout, in order."""

    __slots__ = ()

    LAYOUT: ClassVar[Struct] = _PLAIN

    __match_args__: ClassVar[tuple[str, ...]] = ()  # the fields; filled in by @dataclass

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start != cls.LAYOUT.size:
            raise _bad_length(f"{cls.__name__} cannot have {end - start} bytes")
        make: Callable[..., Self] = cls
        return make(*cls.LAYOUT.unpack_from(data, start)[2:])

    def pack(self) -> bytes:
        arguments = [getattr(self, name) for name in self.__match_args__]
        return self.LAYOUT.pack(self.TYPE, self.LAYOUT.size, *arguments)


_A = TypeVar("_A", bound=Action)


def take_actions(
    data: bytes, start: int, end: int, class_of: Callable[[int, bytes, int], type[_A] | None]
) -> tuple[_A, ...]:
    """Return the actions that fill ``data[start:end]``.

    Args:
        data: the message.
        start: where the first action begins.
        end: where the last one ends.
        class_of: returns the class of the action of a type that begins at an offset of the
            message, or None for a type that is unknown.

    Raises:
        OpenFlowError: one of them breaks the specification (OFPET_BAD_ACTION).
    """
    actions = []
    while start < end:
        if end - start < MIN_SIZE:
            raise _bad_length(f"an action cannot have {end - start} bytes")
        kind, length = _HEADER.unpack_from(data, start)
        if length < MIN_SIZE or length % 8 or length > end - start:
            raise _bad_length(f"an action of {length} bytes in {end - start}")
        action = class_of(kind, data, start)
        if action is None:
            raise OpenFlowError(BAD_ACTION, BAD_ACTION_TYPE, f"no action has the type {kind}")
        actions.append(action.unpack(data, start, start + length))
        start += length
    return tuple(actions)


def pack_actions(actions: Iterable[Action]) -> bytes:
    """Return actions as bytes, one behind the other."""
    return b"".join([action.pack() for action in actions])


def actions_text(actions: Iterable[Action]) -> str:
    """Return actions as ovs-ofctl prints them: in order with commas, or ``drop`` for none."""
    return ",".join(map(str, actions)) or "drop"


def _bad_length(detail: str) -> OpenFlowError:
    return OpenFlowError(BAD_ACTION, BAD_ACTION_LENGTH, detail)
