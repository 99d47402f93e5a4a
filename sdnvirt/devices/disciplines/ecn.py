"""Marks of congestion in IP packets (RFC 3168, section 5)."""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.layout import ABSENT, layout
from sdnvirt.datapath.rewriting.ip import set_traffic_class, traffic_class
from sdnvirt.frame import Frame

_NOT_CAPABLE: Final = 0
_CONGESTION: Final = 3
_ECN: Final = 3
"""Code points of the two lowest bits: not ECN-capable, congestion experienced; their mask."""

_set_ecn: Final = set_traffic_class(keep=0xFC, shift=0)


def marked(frame: Frame) -> Frame | None:
    """Return the frame with congestion marked, or None if its transport does not want marks."""
    where = layout(frame.data)
    if where.protocol == ABSENT:
        return None
    codepoint = traffic_class(frame.data, where) & _ECN
    if codepoint == _NOT_CAPABLE:
        return None
    return frame if codepoint == _CONGESTION else frame.rewritten(_set_ecn(frame.data, _CONGESTION))
