"""With Nicira's actions, too, what the cache says is what the tables say, whatever changes."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.nicira import actions as nx
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.constants import IN_PORT, SAME_TABLE
from sdnvirt.openflow.nicira.learn import Learn, Purpose, Spec
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output, SetField
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable
from sdnvirt.openflow.v13.match import Match

REG0, REG1 = nxm.REGS[:2]
LOW = Subfield(oxm.ETH_SRC, 0, 2)
TABLES = 3
LEARN = Learn(
    0, 0, 5, 0, 0, 1, 0, 0,
    (
        Spec(Purpose.MATCH, LOW, Subfield(oxm.ETH_DST, 0, 2), 2),
        Spec(Purpose.OUTPUT, Subfield(oxm.IN_PORT, 0, 16), None, 16),
    ),
)  # fmt: skip

any_action: st.SearchStrategy[Action] = st.one_of(
    st.builds(Output, st.integers(1, 4)),
    st.builds(SetField, st.sampled_from((REG0, REG1)), st.integers(0, 3)),
    st.builds(SetField, st.just(oxm.ETH_SRC), st.integers(0, 3)),
    st.builds(nx.RegLoad, st.just(Subfield(REG0, 0, 1)), st.integers(0, 1)),
    st.just(nx.RegMove(LOW, Subfield(REG0, 0, 2))),
    st.just(nx.RegMove(Subfield(REG0, 0, 2), LOW)),
    st.just(nx.OutputReg(Subfield(REG0, 0, 2), 0)),
    st.builds(
        nx.ResubmitTable,
        st.sampled_from((IN_PORT, 1, 2)),
        st.sampled_from((*range(TABLES), SAME_TABLE)),
    ),
    st.just(nx.Exit()),
    st.just(LEARN),
)
matches = st.fixed_dictionaries(
    {},
    optional={
        "reg0": st.integers(0, 3) | st.just((1, 1)),
        "in_port": st.integers(1, 2),
        "eth_src": st.integers(0, 3) | st.just((2, 2)),
        "eth_dst": st.integers(0, 3),
    },
).map(lambda fields: Match.of(**fields))
additions = st.tuples(
    st.integers(0, TABLES - 1), st.integers(0, 2), matches, st.lists(any_action, max_size=4),
    st.booleans(),
)  # fmt: skip
packets = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 2))


def frame(src: int, dst: int) -> bytes:
    addresses = dst.to_bytes(6, "big") + src.to_bytes(6, "big")
    return addresses + bytes(Ether() / IP() / UDP())[12:]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(additions | packets, max_size=25))
def test_the_cache_agrees_with_the_tables(driver: Any, steps: list[Any]) -> None:
    driver = type(driver)()  # an empty one for each example; it compares both ways itself
    for table_id in range(TABLES):
        driver.mod(table_id=table_id, match=Match.of(eth_src=99))  # let the table be there
    for step in steps:
        if len(step) == 3:
            src, dst, port = step
            driver.send(frame(src, dst), port)
            continue
        table_id, priority, match, actions, onwards = step
        instructions = [ApplyActions(tuple(actions))]
        if onwards and table_id + 1 < TABLES:
            instructions.append(GotoTable(table_id + 1))
        driver.mod(*instructions, table_id=table_id, priority=priority, match=match)
