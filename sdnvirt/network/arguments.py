"""What programs hand to a network: times and frames, in any of the forms that they may have."""

from __future__ import annotations

from typing import Any

from sdnvirt.errors import UserError
from sdnvirt.units import parse_time


def time_ns(given: int | str) -> int:
    """Return a time in ns, which is given so or as text.

    Raises:
        UserError: it is neither.
    """
    if isinstance(given, str):
        try:
            return parse_time(given)
        except ValueError as error:
            raise UserError(str(error)) from None
    if not isinstance(given, int):
        raise UserError(f"{given!r} is not a time; expected whole nanoseconds or text such as 2s")
    return given


def frame_bytes(frame: Any) -> bytes:
    """Return the bytes of a frame, which is given so or as a scapy packet.

    Raises:
        UserError: it is neither.
    """
    try:
        return bytes(frame)
    except TypeError:
        raise UserError(f"{frame!r} is not a frame; expected bytes or a scapy packet") from None
