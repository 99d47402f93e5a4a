"""What there is for each version of OpenFlow is imported when it is first spoken."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sdnvirt.openflow.versions import ByVersion


def test_each_is_loaded_once_when_it_is_asked_for() -> None:
    loaded: list[int] = []
    table = ByVersion({number: lambda number=number: loaded.append(number) for number in (1, 4)})
    assert (list(table), len(table), max(table), 4 in table) == ([1, 4], 2, 4, True)
    loaded.clear()
    for _ in range(2):
        assert table[4] is None
    assert loaded == [4]


def test_there_is_nothing_for_another() -> None:
    with pytest.raises(KeyError):
        ByVersion({4: int})[5]


PROGRAM = """
import sys
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.openflow.channel import CODECS

class Controller:
    def connect(self, dpid, deliver, closed):
        self.deliver = deliver
        return self
    def feed(self, data):
        pass

controller = Controller()
OpenFlowSwitch("s1", World(seed=1), 1).connect(controller)
controller.deliver(bytes.fromhex("HELLO"))
print(sorted(name for name in sys.modules if name in WATCHED))
"""
WATCHED = ["sdnvirt.devices.of10.dialect", "sdnvirt.openflow.v10.codec"]


@pytest.mark.parametrize(
    ("hello", "imported"), [("0400000800000001", []), ("0100000800000001", WATCHED)]
)
def test_openflow_1_0_is_imported_by_the_first_switch_that_speaks_it(
    hello: str, imported: list[str]
) -> None:
    program = PROGRAM.replace("HELLO", hello).replace("WATCHED", repr(WATCHED))
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert told.stdout == f"{imported}\n"
