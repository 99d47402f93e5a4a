"""Open vSwitch's own printer as the second opinion on our bytes and our texts."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.nicira import actions as nx
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.conntrack import Conntrack, ConntrackClear, Nat, Range
from sdnvirt.openflow.nicira.constants import IN_PORT, NXCT, NXNAT, SAME_TABLE
from sdnvirt.openflow.nicira.learn import Learn, Purpose, Spec
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import SetField
from sdnvirt.openflow.v13.codec import encode
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match

OFCTL = shutil.which("ovs-ofctl")
pytestmark = pytest.mark.skipif(OFCTL is None, reason="ovs-ofctl is not installed")

REG0, REG1 = nxm.REGS[:2]
SOURCE = Subfield(oxm.ETH_SRC, 0, 48)
PORT = Subfield(oxm.IN_PORT, 0, 16)
PUBLIC = Range(0xCB007101, 0xCB007109)
LEARNED = (
    Spec(Purpose.MATCH, 0x0800, Subfield(oxm.ETH_TYPE, 0, 16), 16),
    Spec(Purpose.MATCH, SOURCE, Subfield(oxm.ETH_DST, 0, 48), 48),
    Spec(Purpose.MATCH, Subfield(REG0, 1, 5), Subfield(REG0, 1, 5), 5),
    Spec(Purpose.LOAD, 0, Subfield(REG1, 3, 5), 5),
    Spec(Purpose.LOAD, Subfield(REG0, 1, 5), Subfield(REG1, 3, 5), 5),
    Spec(Purpose.OUTPUT, PORT, None, 16),
)

ACTIONS: list[Action] = [
    SetField(REG0, 7),
    nx.RegLoad(Subfield(REG0, 4, 16), 0),
    nx.RegLoad(Subfield(oxm.METADATA, 0, 1), 1),
    nx.RegLoad2(REG1, 7, 0xFF),
    nx.RegMove(SOURCE, Subfield(oxm.ETH_DST, 0, 48)),
    nx.RegMove(Subfield(oxm.IPV4_SRC, 24, 8), Subfield(REG0, 8, 8)),
    nx.OutputReg(Subfield(REG0, 0, 16), 0xFFFF),
    nx.OutputReg2(Subfield(REG0, 0, 32), 0xFFFF),
    nx.Resubmit(3),
    nx.Resubmit(IN_PORT),
    nx.ResubmitTable(3, 5),
    nx.ResubmitTable(3, SAME_TABLE),
    nx.ResubmitTable(IN_PORT, 5),
    nx.SetTunnel(7),
    nx.SetTunnel64(1 << 40),
    nx.Exit(),
    nx.Controller(128, 0, 1),
    nx.Controller(0xFFFF, 5, 2),
    nx.Note(b"\x01\x02\x03\0\0\0"),
    Conntrack(),
    Conntrack(NXCT.COMMIT | NXCT.FORCE, 7, 4),
    Conntrack(0, Subfield(REG0, 16, 16), 1),
    Conntrack(NXCT.COMMIT, actions=(nx.RegLoad(Subfield(nxm.CT_MARK, 0, 32), 7),)),
    Conntrack(NXCT.COMMIT, actions=(SetField(nxm.CT_MARK, 7),)),
    Conntrack(actions=(Nat(),)),
    Conntrack(NXCT.COMMIT, actions=(Nat(NXNAT.SRC, PUBLIC),)),
    Conntrack(NXCT.COMMIT, actions=(Nat(NXNAT.DST, PUBLIC, ports=Range(80, 80)),)),
    Conntrack(
        NXCT.COMMIT,
        actions=(Nat(NXNAT.SRC | NXNAT.PERSISTENT | NXNAT.PROTO_RANDOM, PUBLIC),),
    ),
    ConntrackClear(),
    Learn(180, 300, 1, 0x64, 1, 10, 18, 30, LEARNED),
    Learn(0, 0, 0x8000, 0, 0, 1, 0, 0, LEARNED[:2]),
]


@pytest.mark.parametrize("action", ACTIONS, ids=str)
def test_open_vswitch_reads_what_we_write_and_prints_what_we_print(action: Any) -> None:
    mod = FlowMod(match=Match.of(eth_type=0x0800), instructions=(ApplyActions((action,)),))
    assert OFCTL is not None
    printed = subprocess.run(
        [OFCTL, "ofp-print", encode(mod, 1).hex()], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip().split("actions=")[-1] == str(action)
