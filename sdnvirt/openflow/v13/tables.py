"""Flow tables: configuration and statistics (OpenFlow 1.3.5, 7.3.3 and 7.3.5.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar

from sdnvirt.openflow.record import Record, RecordMessage
from sdnvirt.openflow.v13.constants import OFPT, OFPTC
from sdnvirt.openflow.v13.error_codes import OFPTMFC, refuse


@dataclass(frozen=True, slots=True)
class TableMod(RecordMessage):
    """Configure a table, or all of them with OFPTT.ALL; ``config`` has only deprecated bits."""

    table_id: int
    config: int = 0

    TYPE: ClassVar[int] = OFPT.TABLE_MOD
    LAYOUT: ClassVar[Struct] = Struct("!B3xI")
    NOUN: ClassVar[str] = "a table mod"

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        _, config = values
        if config > OFPTC.DEPRECATED_MASK:
            raise refuse(OFPTMFC.BAD_CONFIG, f"no table configuration {config:#x}")


@dataclass(frozen=True, slots=True)
class TableStats(Record):
    """The counters of a table: entries in it, packets looked up in it, packets that matched."""

    table_id: int
    active_count: int
    lookup_count: int
    matched_count: int

    LAYOUT: ClassVar[Struct] = Struct("!B3xIQQ")
