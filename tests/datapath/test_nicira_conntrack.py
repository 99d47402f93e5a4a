"""The ct action with packets through tables: stateful rules, marks, translation, limits."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from sdnvirt.datapath.conntrack import table as conntrack
from sdnvirt.datapath.flow import Loss
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira import actions as nx
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.conntrack import Conntrack, ConntrackClear, Nat, Range
from sdnvirt.openflow.nicira.constants import IN_PORT, NXCT, NXNAT, CtState
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output, SetField
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable, WriteActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.units import NS_PER_S

INSIDE, OUTSIDE = 1, 2
CLIENT, SERVER, PUBLIC = "10.0.0.1", "192.0.2.1", "203.0.113.1"
NEW, EST, RPL, INV, TRK = CtState.NEW, CtState.EST, CtState.RPL, CtState.INV, CtState.TRK
IP_TRAFFIC = {"eth_type": 0x0800}
IPV4 = Match.of(eth_type=0x0800)


def state(*on: CtState, off: tuple[CtState, ...] = ()) -> Match:
    value = sum(on)
    return Match.of(ct_state=(value, value | sum(off)))


def commit(*actions: Any, **more: Any) -> Conntrack:
    return Conntrack(flags=NXCT.COMMIT, actions=actions, **more)


def ask(sport: int = 5000, src: str = CLIENT) -> bytes:
    return bytes(Ether() / IP(src=src, dst=SERVER) / UDP(sport=sport, dport=53) / b"question")


def answer(dport: int = 5000, dst: str = CLIENT) -> bytes:
    return bytes(Ether() / IP(src=SERVER, dst=dst) / UDP(sport=53, dport=dport) / b"answer")


def ends(driver: Any, data: bytes, port: int) -> list[Any]:
    """Return where a packet goes, or why it is lost."""
    return [
        where.reason if isinstance(where, Loss) else where for where, _ in driver.send(data, port)
    ]


@pytest.fixture
def firewall(driver: Any) -> Any:
    """Connections may begin inside only: the example of Open vSwitch's manual."""
    driver.apply(Conntrack(table_id=1), match=Match.of(**IP_TRAFFIC))
    driver.apply(commit(), Output(OUTSIDE), table_id=1, match=_from(INSIDE, NEW))
    driver.to(OUTSIDE, table_id=1, match=_from(INSIDE, EST))
    driver.to(INSIDE, table_id=1, match=_from(OUTSIDE, EST))
    driver.mod(table_id=1, match=_from(OUTSIDE, NEW))
    return driver


def _from(port: int, bit: CtState) -> Match:
    return Match.of(in_port=port, ct_state=(TRK | bit, TRK | bit), **IP_TRAFFIC)


def test_a_firewall_lets_only_answers_in(firewall: Any) -> None:
    assert ends(firewall, answer(), OUTSIDE) == [DropReason.NO_OUTPUT]
    assert ends(firewall, ask(), INSIDE) == [OUTSIDE]
    assert ends(firewall, answer(), OUTSIDE) == [INSIDE]
    assert ends(firewall, ask(), INSIDE) == [OUTSIDE]
    assert ends(firewall, answer(dport=5001), OUTSIDE) == [DropReason.NO_OUTPUT]


def test_the_decision_changes_with_the_connection_and_not_with_the_cache(firewall: Any) -> None:
    assert ends(firewall, answer(), OUTSIDE) == [DropReason.NO_OUTPUT]
    ends(firewall, ask(), INSIDE)
    assert ends(firewall, answer(), OUTSIDE) == [INSIDE]
    firewall.now += 3600 * NS_PER_S
    assert ends(firewall, answer(), OUTSIDE) == [DropReason.NO_OUTPUT]


def test_entries_behind_ct_are_counted_and_may_change(firewall: Any) -> None:
    for _ in range(3):
        ends(firewall, ask(), INSIDE)
    firewall.datapath.settle()
    entry = next(e for e in firewall.datapath.tables[1] if e.match == _from(INSIDE, NEW))
    assert entry.packets == 3
    firewall.to(3, table_id=1, match=_from(INSIDE, NEW))
    assert ends(firewall, ask(), INSIDE) == [3]


def test_fragments_that_begin_nothing_are_invalid(driver: Any) -> None:
    driver.apply(Conntrack(table_id=1), match=IPV4)
    driver.to(3, table_id=1, match=state(TRK, INV))
    assert ends(driver, bytes(Ether() / IP(frag=9, proto=17) / b"middle"), 1) == [3]


def test_registers_metadata_and_the_action_set_survive(driver: Any) -> None:
    driver.mod(
        ApplyActions((SetField(nxm.REGS[3], 9), Conntrack(table_id=2))),
        WriteActions((Output(4),)),
        match=IPV4,
    )
    driver.mod(table_id=2, match=Match.of(reg3=9))
    assert ends(driver, ask(), 1) == [DropReason.NO_OUTPUT, 4], "written behind ct"
    driver.mod(WriteActions((Output(4),)), GotoTable(1), match=IPV4)
    driver.apply(SetField(nxm.REGS[3], 9), Conntrack(table_id=2), table_id=1, match=IPV4)
    assert ends(driver, ask(), 1) == [4, 4], "the copy has the set, too"


def test_the_packet_itself_goes_on_untracked(driver: Any) -> None:
    driver.apply(Conntrack(table_id=2), nx.ResubmitTable(IN_PORT, 3), match=IPV4)
    driver.to(2, table_id=2, match=state(TRK))
    driver.to(3, table_id=3, match=Match.of(ct_state=0))
    assert ends(driver, ask(), 1) == [2, 3]


def test_a_zone_from_a_register_is_told_behind(driver: Any) -> None:
    zone = Subfield(nxm.REGS[0], 16, 16)
    driver.apply(SetField(nxm.REGS[0], 7 << 16), Conntrack(zone=zone, table_id=2), match=IPV4)
    driver.to(2, table_id=2, match=Match.of(ct_zone=7))
    assert ends(driver, ask(), 1) == [2]


def test_a_mark_is_told_behind(driver: Any) -> None:
    mark = nx.RegLoad(Subfield(nxm.CT_MARK, 0, 8), 0x42)
    driver.apply(commit(mark, SetField(nxm.CT_LABEL, 1 << 99), table_id=2), match=IPV4)
    driver.to(2, table_id=2, match=Match.of(ct_mark=0x42, ct_label=1 << 99))
    assert ends(driver, ask(), 1) == [2]


def test_ct_clear_forgets(driver: Any) -> None:
    driver.apply(Conntrack(table_id=2), match=IPV4)
    driver.apply(ConntrackClear(), nx.ResubmitTable(IN_PORT, 3), table_id=2)
    driver.to(2, table_id=3, match=Match.of(ct_state=0))
    assert ends(driver, ask(), 1) == [2]


SNAT = Nat(NXNAT.SRC, Range(0xCB007101, 0xCB007101))


@pytest.fixture
def gateway(driver: Any) -> Any:
    """Clients share one public address."""
    inside, outside = (Match.of(in_port=port, **IP_TRAFFIC) for port in (INSIDE, OUTSIDE))
    driver.apply(commit(SNAT), Output(OUTSIDE), match=inside)
    driver.apply(Conntrack(table_id=1, actions=(Nat(),)), match=outside)
    driver.to(INSIDE, table_id=1, match=state(TRK, EST, RPL))
    return driver


def sent(driver: Any, data: bytes, port: int) -> tuple[Any, Packet]:
    ((where, out),) = driver.send(data, port)
    return where, Ether(out)


def test_source_translation_through_tables(gateway: Any) -> None:
    where, packet = sent(gateway, ask(), INSIDE)
    assert (where, packet[IP].src, packet[UDP].sport) == (OUTSIDE, PUBLIC, 5000)
    where, packet = sent(gateway, answer(dst=PUBLIC), OUTSIDE)
    assert (where, packet[IP].dst, packet[UDP].dport) == (INSIDE, CLIENT, 5000)
    assert ends(gateway, answer(dst=PUBLIC, dport=9), OUTSIDE) == [DropReason.TABLE_MISS]


def test_one_entry_serves_clients_with_ports_of_their_own(gateway: Any) -> None:
    used = {sent(gateway, ask(src=f"10.0.0.{n}"), INSIDE)[1][UDP].sport for n in range(1, 6)}
    assert len(used) == 5


def test_destination_translation_of_tcp(driver: Any) -> None:
    nat = Nat(NXNAT.DST, Range(0x0A000009, 0x0A000009), ports=Range(8080, 8080))
    driver.apply(commit(nat, table_id=1), match=IPV4)
    driver.to(INSIDE, table_id=1, match=Match.of(eth_type=0x0800, ipv4_dst=0x0A000009))
    syn = Ether() / IP(src=CLIENT, dst=PUBLIC) / TCP(sport=1234, dport=80, flags="S")
    where, packet = sent(driver, bytes(syn), OUTSIDE)
    assert (where, packet[IP].dst, packet[TCP].dport) == (INSIDE, "10.0.0.9", 8080)


def test_a_loop_through_ct_ends(driver: Any) -> None:
    driver.apply(Conntrack(table_id=0), match=IPV4)
    assert ends(driver, ask(), 1) == [DropReason.RECIRCULATION_LIMIT]


@pytest.mark.parametrize("action", [commit(), commit(table_id=1)], ids=str)
def test_what_cannot_be_remembered_is_lost(
    driver: Any, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conntrack, "CONNECTIONS_LIMIT", 1)
    driver.apply(action, match=IPV4)
    driver.mod(table_id=1)
    assert ends(driver, ask(1), 1) in ([], [DropReason.NO_OUTPUT])
    assert ends(driver, ask(2), 1) == [DropReason.CONNTRACK_FULL]


def test_explain_tells_the_state_and_what_follows_without_remembering(firewall: Any) -> None:
    for _ in range(2):
        text = "\n".join(firewall.datapath.explain(INSIDE, Frame(ask())))
        assert "ct_state=+new+trk" in text
        assert text.index("goes on at table 1") < text.index("table 1: priority")
        assert text.endswith("to port 2")
    assert list(firewall.datapath.state.connections) == []


REFUSED: list[tuple[Action, str]] = [
    (Conntrack(flags=NXCT.FORCE), "BAD_ACTION/BAD_ARGUMENT"),
    (Conntrack(flags=8), "BAD_ACTION/BAD_ARGUMENT"),
    (Conntrack(alg=21), "BAD_ACTION/BAD_ARGUMENT"),
    (Conntrack(actions=(SNAT,)), "BAD_ACTION/BAD_ARGUMENT"),
    (commit(SNAT, SNAT), "BAD_ACTION/TOO_MANY"),
    (commit(Nat(NXNAT.SRC | NXNAT.DST)), "BAD_ACTION/BAD_ARGUMENT"),
    (commit(Nat(0, Range(1, 2))), "BAD_ACTION/BAD_ARGUMENT"),
    (commit(Nat(64)), "BAD_ACTION/BAD_ARGUMENT"),
    (Conntrack(actions=(SetField(nxm.CT_MARK, 1),)), "BAD_ACTION/BAD_SET_ARGUMENT"),
    (commit(SetField(oxm.ETH_SRC, 1)), "BAD_ACTION/BAD_SET_ARGUMENT"),
]


@pytest.mark.parametrize(("action", "wrong"), REFUSED, ids=str)
def test_what_cannot_be_done_is_refused(driver: Any, action: Action, wrong: str) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.apply(action, match=IPV4)
    assert error_name(caught.value.error_type, caught.value.code) == wrong


def test_connections_are_of_ip_packets(driver: Any) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.apply(Conntrack())
    wrong = error_name(caught.value.error_type, caught.value.code)
    assert wrong == "BAD_ACTION/MATCH_INCONSISTENT"
