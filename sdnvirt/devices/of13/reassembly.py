"""Multipart requests that come in several messages (7.3.5)."""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.v13.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v13.multipart import REQUESTS, MultipartRequest

PARTS_LIMIT: Final = 64
"""Messages that wait for the rest of their requests on one connection: 4 MiB at most, and several
times what the features of all tables take."""


class Reassembly:
    """The unfinished requests of one connection."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: dict[int, list[MultipartRequest]] = {}

    def join(self, xid: int, part: MultipartRequest) -> MultipartRequest | None:
        """Take a message; return the request that it completes, or None if it does not.

        Raises:
            OpenFlowError: it does not continue what began with its xid, too much is unfinished,
                or the request is one of those that have exactly one entry and has not.
        """
        parts = self._parts.pop(xid, [])
        if parts and parts[0].kind != part.kind:
            raise refuse(OFPBRC.BAD_MULTIPART, f"type {part.kind} continues {parts[0].kind}")
        parts.append(part)
        if not part.more:
            return _whole(parts)
        if len(parts) + sum(map(len, self._parts.values())) > PARTS_LIMIT:
            raise refuse(OFPBRC.MULTIPART_BUFFER_OVERFLOW, f"over {PARTS_LIMIT} parts")
        self._parts[xid] = parts
        return None


def _whole(parts: list[MultipartRequest]) -> MultipartRequest:
    entries = tuple(entry for part in parts for entry in part.entries)
    if REQUESTS[parts[0].kind].single and len(entries) != 1:
        detail = f"a multipart request of {len(entries)} entries, not of one"
        raise refuse(OFPBRC.BAD_LEN, detail)
    return MultipartRequest(parts[0].kind, entries)
