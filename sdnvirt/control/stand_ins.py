"""What apps get in place of the modules that lead out of the run: time, chance and sockets."""

from __future__ import annotations

import random
import socket
import time
from types import BuiltinFunctionType, MethodType
from typing import Any

from sdnvirt.control.no_sockets import NoSockets
from sdnvirt.control.virtual_time import VirtualTime


def stand_ins(virtual_time: VirtualTime, stream: random.Random) -> dict[int, Any]:
    """Map the identity of each module, and of each of its functions, to what stands in for it.

    Args:
        virtual_time: in place of ``time``.
        stream: in place of ``random``.
    """
    table: dict[int, Any] = {
        id(time): virtual_time,
        id(random): stream,
        id(socket): NoSockets(),
    }
    for module, stand_in in ((time, virtual_time), (random, stream)):
        for name, function in vars(module).items():
            if isinstance(function, BuiltinFunctionType | MethodType) and name[0] != "_":
                table[id(function)] = getattr(stand_in, name)
    return table
