"""Between OpenFlow 1.0 and 1.3: matches mean the same packets, actions and messages come back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.openflow import extensions as ext
from sdnvirt.openflow.errors import BAD_LENGTH, BAD_REQUEST, OpenFlowError, bad_length
from sdnvirt.openflow.extensions import Settable
from sdnvirt.openflow.v10 import actions as act
from sdnvirt.openflow.v10.constants import OFPFC, OFPFF, OFPFW, OFPP, OFPPC, OFPPF, OFPPS
from sdnvirt.openflow.v10.error_codes import CODES, OFPBAC, OFPBRC, OFPET, OFPFMFC, refuse
from sdnvirt.openflow.v10.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v10.match import ALL_PACKETS, Match
from sdnvirt.openflow.v10.packets import PacketOut
from sdnvirt.openflow.v10.ports import PortMod, PortStatsRequest
from sdnvirt.openflow.v10.queues import MinRate, PacketQueue, QueueStatsRequest
from sdnvirt.openflow.v10.translate import replies, requests
from sdnvirt.openflow.v10.translate.actions import actions_to_v10, actions_to_v13
from sdnvirt.openflow.v10.translate.errors import error_to_v10
from sdnvirt.openflow.v10.translate.match import match_to_v10, match_to_v13
from sdnvirt.openflow.v10.translate.ports import port_to_v10, port_to_v13
from sdnvirt.openflow.v13 import actions as act13
from sdnvirt.openflow.v13 import error_codes as errors13
from sdnvirt.openflow.v13 import features as features13
from sdnvirt.openflow.v13 import flow as flow13
from sdnvirt.openflow.v13 import oxm, queues
from sdnvirt.openflow.v13 import ports as ports13
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.constants import OFPFF as OFPFF13
from sdnvirt.openflow.v13.constants import OFPP as OFPP13
from sdnvirt.openflow.v13.constants import OFPPF as OFPPF13
from sdnvirt.openflow.v13.constants import OFPPS as OFPPS13
from sdnvirt.openflow.v13.constants import OFPRR as OFPRR13
from sdnvirt.openflow.v13.constants import OFPTT
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable
from sdnvirt.openflow.v13.match import Match as Match13
from sdnvirt.openflow.v13.match import take_match
from sdnvirt.openflow.v13.packets import PacketIn as PacketIn13
from sdnvirt.openflow.v13.tables import TableStats as TableStats13

quick = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

MAC = Mac("02:00:00:00:00:01")
IP = Ipv4("10.1.2.3")


# Ports


@pytest.mark.parametrize("port", OFPP)
def test_a_reserved_port_keeps_its_name(port):
    there = OFPP13.ANY if port is OFPP.NONE else OFPP13[port.name]
    assert port_to_v13(port) == there
    assert port_to_v10(there) == port


def test_every_port_number_comes_back():
    assert all(port_to_v10(port_to_v13(port)) == port for port in range(1 << 16))


def test_a_port_that_16_bits_cannot_number_is_none():
    assert {port_to_v10(port) for port in (0xFF00, 70_000, 0xFFFFFEFF)} == {OFPP.NONE}


# Matches


@pytest.mark.parametrize(
    ("match", "there"),
    [
        (Match.of(), {}),
        (Match.of(in_port=OFPP.LOCAL), {"in_port": OFPP13.LOCAL}),
        (Match.of(dl_src=MAC, dl_dst=Mac(2)), {"eth_src": MAC, "eth_dst": 2}),
        (Match.of(dl_type=0x05FF), {"eth_type": 0x05FF}),
        (Match.of(dl_vlan=0xFFFF), {"vlan_vid": 0}),
        (Match.of(dl_vlan=5), {"vlan_vid": 0x1005}),
        (Match.of(dl_vlan=5, dl_vlan_pcp=3), {"vlan_vid": 0x1005, "vlan_pcp": 3}),
        (Match.of(dl_vlan_pcp=3), {"vlan_vid": (0x1000, 0x1000), "vlan_pcp": 3}),
        (
            Match.of(dl_type=0x0800, nw_src=IP, nw_src_bits=24, nw_dst=IP),
            {"eth_type": 0x0800, "ipv4_src": (0x0A010200, 0xFFFFFF00), "ipv4_dst": IP},
        ),
        (
            Match.of(dl_type=0x0800, nw_tos=0xB8, nw_proto=6, tp_src=80, tp_dst=0),
            {"eth_type": 0x0800, "ip_dscp": 46, "ip_proto": 6, "tcp_src": 80, "tcp_dst": 0},
        ),
        (
            Match.of(dl_type=0x0800, nw_proto=17, tp_dst=53),
            {"eth_type": 0x0800, "ip_proto": 17, "udp_dst": 53},
        ),
        (
            Match.of(dl_type=0x0800, nw_proto=1, tp_src=8, tp_dst=0),
            {"eth_type": 0x0800, "ip_proto": 1, "icmpv4_type": 8, "icmpv4_code": 0},
        ),
        (
            Match.of(dl_type=0x86DD, nw_tos=32, nw_proto=6, tp_src=80),
            {"eth_type": 0x86DD, "ip_dscp": 8, "ip_proto": 6, "tcp_src": 80},
        ),
        (
            Match.of(dl_type=0x86DD, nw_proto=58, tp_src=135),
            {"eth_type": 0x86DD, "ip_proto": 58, "icmpv6_type": 135},
        ),
        (
            Match.of(dl_type=0x0806, nw_proto=2, nw_src=IP, nw_dst=IP, nw_dst_bits=8),
            {"eth_type": 0x0806, "arp_op": 2, "arp_spa": IP, "arp_tpa": (10 << 24, 255 << 24)},
        ),
    ],
)
def test_a_match_comes_over_and_back(match, there):
    assert match_to_v13(match) == Match13.of(**there)
    back = match_to_v10(Match13.of(**there))
    assert match_to_v13(back) == Match13.of(**there)
    assert str(back) == str(match).replace("10.1.2.3/24", "10.1.2.0/24").replace(
        "10.1.2.3/8", "10.0.0.0/8"
    )


@pytest.mark.parametrize(
    ("match", "means"),
    [
        (Match.of(nw_src=IP, nw_proto=6, nw_tos=32, tp_src=80), Match.of()),
        (Match.of(dl_type=0x88CC, nw_src=IP, nw_proto=6), Match.of(dl_type=0x88CC)),
        (Match.of(dl_type=0x0800, tp_src=80), Match.of(dl_type=0x0800)),
        (
            Match.of(dl_type=0x0800, nw_proto=47, tp_src=80),
            Match.of(dl_type=0x0800, nw_proto=47),
        ),
        (Match.of(dl_type=0x0806, nw_tos=32, tp_src=1), Match.of(dl_type=0x0806)),
        (Match.of(dl_type=0x86DD, nw_src=IP), Match.of(dl_type=0x86DD)),
        (Match.of(dl_vlan=0xFFFF, dl_vlan_pcp=3), Match.of(dl_vlan=0xFFFF)),
        (Match.of(dl_vlan=0x1005), Match.of(dl_vlan=5)),
        (
            Match.of(dl_type=0x0800, nw_proto=1, tp_src=0x108),
            Match.of(dl_type=0x0800, nw_proto=1, tp_src=8),
        ),
    ],
)
def test_what_does_not_apply_is_ignored(match, means):
    assert match_to_v13(match) == match_to_v13(means)
    assert match_to_v10(match_to_v13(match)) == means


@quick
@given(data=st.data())
def test_a_match_in_normal_form_comes_back_as_it_is(generated, data):
    normal = match_to_v10(match_to_v13(data.draw(generated["match"])))
    assert match_to_v10(match_to_v13(normal)) == normal


@quick
@given(data=st.data())
def test_no_match_breaks_a_rule_of_version_1_3(generated, data):
    match = match_to_v13(data.draw(generated["match"]))
    wire = match.pack()
    assert take_match(wire, 0, len(wire)) == (match, len(wire))


# A packet as version 1.0 sees it, and a match as its section 3.4 defines it, as the oracle

HEADERS = {
    "plain": {"dl_type": 0x88CC},
    "arp": {"dl_type": 0x0806, "nw_proto": 1, "nw_src": 0x0A000001, "nw_dst": 0x0A000002},
    "tcp": {
        "dl_type": 0x0800, "nw_tos": 32, "nw_proto": 6, "nw_src": 0x0A000001,
        "nw_dst": 0x0A000102, "tp_src": 80, "tp_dst": 443,
    },
    "icmp": {
        "dl_type": 0x0800, "nw_tos": 0, "nw_proto": 1, "nw_src": 0x0A000002,
        "nw_dst": 0x0A000001, "tp_src": 8, "tp_dst": 0,
    },
}  # fmt: skip
OXM_OF = {
    "plain": {},
    "arp": {"nw_proto": oxm.ARP_OP, "nw_src": oxm.ARP_SPA, "nw_dst": oxm.ARP_TPA},
    "tcp": {"tp_src": oxm.TCP_SRC, "tp_dst": oxm.TCP_DST},
    "icmp": {"tp_src": oxm.ICMPV4_TYPE, "tp_dst": oxm.ICMPV4_CODE},
}
IPV4_OF = {"nw_proto": oxm.IP_PROTO, "nw_src": oxm.IPV4_SRC, "nw_dst": oxm.IPV4_DST}


def oxm_fields(kind, vlan, headers):
    fields = {oxm.ETH_TYPE: headers["dl_type"], oxm.VLAN_VID: 0}
    if vlan is not None:
        fields |= {oxm.VLAN_VID: 0x1000 | vlan[0], oxm.VLAN_PCP: vlan[1]}
    names = OXM_OF[kind] if kind == "arp" else IPV4_OF | OXM_OF[kind]
    fields |= {field: headers[name] for name, field in names.items() if name in headers}
    if "nw_tos" in headers:
        fields[oxm.IP_DSCP] = headers["nw_tos"] >> 2
    return fields


def matches_as_1_0_defines_it(match, vlan, headers):
    dl_vlan, dl_vlan_pcp = vlan or (0xFFFF, 0)
    seen = {"dl_vlan": dl_vlan, "dl_vlan_pcp": dl_vlan_pcp, **headers}
    for field in OFPFW:
        name = field.name.lower()
        if match.tests(field) and name in seen and getattr(match, name) != seen[name]:
            return False
    for name, bits in (("nw_src", match.nw_src_bits), ("nw_dst", match.nw_dst_bits)):
        if name in seen and (seen[name] ^ int(getattr(match, name))) >> 32 - bits:
            return False
    return True


def matches_as_1_3_defines_it(match, fields):
    return all(
        field in fields and fields[field] & (field.limit if mask is None else mask) == value
        for field, value, mask in match.fields
    )


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("vlan", [None, (5, 0), (5, 3), (0, 3)])
def test_a_translated_match_matches_the_same_packets(kind, vlan):
    headers = HEADERS[kind]
    wanted = HEADERS["tcp"] if kind == "plain" else headers
    choices = [
        [{}, {"dl_vlan": 0xFFFF}, {"dl_vlan": 5}, {"dl_vlan": 5, "dl_vlan_pcp": 3}],
        [{}, {"nw_src": Ipv4(wanted["nw_src"])}, {"nw_src": Ipv4(1), "nw_src_bits": 8}],
        [{}, {"nw_dst": Ipv4(wanted["nw_dst"] ^ 1), "nw_dst_bits": 31}, {"nw_dst": Ipv4(7)}],
        [{}, {"nw_proto": wanted["nw_proto"]}, {"nw_proto": wanted["nw_proto"], "tp_src": 80}],
        [{}, {"nw_tos": 32}, {"tp_dst": 0}],
    ]
    for chosen in itertools.product(*choices):
        values = {name: value for part in chosen for name, value in part.items()}
        match = Match.of(dl_type=wanted["dl_type"], **values)
        if "tp_dst" in values and "nw_proto" not in values:
            continue  # ignored, although the packet has it
        expected = matches_as_1_0_defines_it(match, vlan, headers)
        assert matches_as_1_3_defines_it(match_to_v13(match), oxm_fields(kind, vlan, headers)) is (
            expected and wanted["dl_type"] == headers["dl_type"]
        ), str(match)


def test_what_only_1_3_can_match_becomes_a_wildcard():
    match = Match13.of(
        metadata=7,
        eth_dst=(1 << 40, 1 << 40),
        eth_type=0x0800,
        vlan_vid=(0x1000, 0x1000),
        ip_ecn=1,
        ipv4_src=(0x0A000001, 0xFF0000FF),
        ipv4_dst=(1, 1),
    )
    there = match_to_v10(match)
    assert there == Match.of(dl_type=0x0800, nw_src=Ipv4("10.0.0.0"), nw_src_bits=8)
    assert match_to_v10(Match13.of(eth_type=0x0806, arp_op=256)) == Match.of(dl_type=0x0806)


# Actions


@quick
@given(data=st.data())
def test_actions_come_back_as_they_were(generated, data):
    actions = data.draw(generated["actions"])
    there = actions_to_v13(actions)
    assert actions_to_v10(there) == actions
    assert len(there) == len(actions)


@pytest.mark.parametrize(
    ("action", "there"),
    [
        (act.Output(OFPP.CONTROLLER, 128), act13.Output(OFPP13.CONTROLLER, 128)),
        (act.SetDlSrc(MAC), act13.SetField(oxm.ETH_SRC, 0x020000000001)),
        (act.SetNwTos(32), ext.SetIfPresent(Settable.NW_TOS, 8)),
        (act.SetNwDst(IP), ext.SetIfPresent(Settable.NW_DST, 0x0A010203)),
        (act.SetTpSrc(80), ext.SetIfPresent(Settable.TP_SRC, 80)),
        (act.Enqueue(OFPP.IN_PORT, 3), ext.Enqueue(OFPP13.IN_PORT, 3)),
        (act.VendorAction(0x123456, b"12345678"), act13.ExperimenterAction(0x123456, b"12345678")),
    ],
)
def test_an_action_is_one_of_the_datapath(action, there):
    assert actions_to_v13((action,)) == (there,)


@pytest.mark.parametrize(
    ("action", "text", "nearest"),
    [
        (ext.SetVlanVid(5), "mod_vlan_vid:5", [act13.SetField(oxm.VLAN_VID, 0x1005)]),
        (ext.SetVlanPcp(2), "mod_vlan_pcp:2", [act13.SetField(oxm.VLAN_PCP, 2)]),
        (ext.StripVlan(), "strip_vlan", [act13.PopVlan()]),
        (
            ext.SetIfPresent(Settable.NW_SRC, 0x0A000001),
            "mod_nw_src:10.0.0.1",
            [act13.SetField(oxm.IPV4_SRC, 0x0A000001)],
        ),
        (
            ext.SetIfPresent(Settable.NW_TOS, 8),
            "mod_nw_tos:32",
            [act13.SetField(oxm.IP_DSCP, 8)],
        ),
        (
            ext.SetIfPresent(Settable.TP_DST, 80),
            "mod_tp_dst:80",
            [act13.SetField(f, 80) for f in (oxm.TCP_DST, oxm.UDP_DST, oxm.SCTP_DST)],
        ),
        (ext.Enqueue(1, 2), "enqueue:1:2", [act13.SetQueue(2), act13.Output(1)]),
    ],
)
def test_version_1_3_is_told_the_nearest_that_it_has(action, text, nearest):
    assert str(action) == text
    wire = action.pack()
    assert list(unpack_actions(wire, 0, len(wire))) == nearest


def test_actions_that_only_1_3_has_are_left_out():
    actions = (
        act13.PushVlan(0x8100),
        act13.SetField(oxm.VLAN_VID, 0x1005),
        act13.DecNwTtl(),
        act13.SetField(oxm.IPV6_FLABEL, 5),
        act13.SetField(oxm.UDP_DST, 53),
        act13.Output(1),
    )
    assert actions_to_v10(actions) == (
        act.SetVlanVid(5),
        act.SetTpDst(53),
        act.Output(1),
    )


# Requests


def test_a_flow_mod_adds_to_the_first_table_with_fresh_counters():
    mod = FlowMod(Match.of(in_port=1), 7, OFPFC.ADD, 10, 20, 5, flags=OFPFF.SEND_FLOW_REM)
    assert requests.flow_mod(mod) == flow13.FlowMod(
        cookie=7,
        idle_timeout=10,
        hard_timeout=20,
        priority=5,
        flags=OFPFF13.SEND_FLOW_REM | OFPFF13.RESET_COUNTS,
        match=Match13.of(in_port=1),
    )


def test_a_flow_mod_without_wildcards_has_the_highest_priority():
    assert requests.flow_mod(FlowMod(Match(0), priority=5)).priority == 0xFFFF
    assert requests.flow_mod(FlowMod(Match(1), priority=5)).priority == 5


def test_a_flow_mod_deletes_from_every_table():
    mod = FlowMod(command=OFPFC.DELETE, out_port=3)
    there = requests.flow_mod(mod)
    assert (there.table_id, there.out_port, there.flags) == (OFPTT.ALL, 3, 0)
    assert requests.flow_mod(FlowMod(command=OFPFC.DELETE_STRICT)).out_port == OFPP13.ANY


@pytest.mark.parametrize(
    ("timeout", "code"), [(0, OFPFMFC.ALL_TABLES_FULL), (1, OFPFMFC.BAD_EMERG_TIMEOUT)]
)
def test_there_are_no_emergency_entries(timeout, code):
    with pytest.raises(OpenFlowError) as caught:
        requests.flow_mod(FlowMod(flags=OFPFF.EMERG, hard_timeout=timeout))
    assert (caught.value.error_type, caught.value.code) == (OFPET.FLOW_MOD_FAILED, code)


@quick
@given(data=st.data())
def test_what_a_flow_mod_added_is_told_as_it_was_added(generated, data):
    mod = data.draw(generated["FlowMod"])
    if mod.flags & OFPFF.EMERG:
        return
    there = requests.flow_mod(mod)
    told = replies.flow_stats(
        flow13.FlowStats(
            0, 1, 2, there.priority, there.idle_timeout, there.hard_timeout, there.flags,
            there.cookie, 3, 4, there.match, there.instructions,
        )
    )  # fmt: skip
    assert (told.cookie, told.idle_timeout, told.hard_timeout) == (
        mod.cookie, mod.idle_timeout, mod.hard_timeout,
    )  # fmt: skip
    assert told.actions == mod.actions
    assert match_to_v13(told.match) == match_to_v13(mod.match)
    assert told.priority == (0xFFFF if mod.match.is_exact else mod.priority)


def test_a_packet_out_from_no_port_is_from_the_controller():
    assert requests.packet_out(PacketOut(data=b"x")).in_port == OFPP13.CONTROLLER
    assert requests.packet_out(PacketOut(in_port=3, data=b"x")).in_port == 3
    there = requests.packet_out(PacketOut(5, 1, (act.Output(OFPP.TABLE),)))
    assert there.actions == (act13.Output(OFPP13.TABLE, 0xFFFF),)


def test_a_port_mod_keeps_the_bits_that_1_3_has_no_more():
    mod = PortMod(1, MAC, OFPPC.NO_FLOOD, 0x7F, OFPPF.COPPER | OFPPF.RATE_10MB_FD)
    there = requests.port_mod(mod)
    assert (there.config, there.mask) == (OFPPC.NO_FLOOD, 0x7F)
    assert there.advertise == OFPPF13.COPPER | OFPPF13.RATE_10MB_FD


def test_requests_for_all_are_for_all():
    flows = requests.flow_stats_request(FlowStatsRequest())
    assert flows == flow13.FlowStatsRequest()
    assert requests.port_stats_request(PortStatsRequest()).port_no == OFPP13.ANY
    assert requests.queue_stats_request(QueueStatsRequest()) == queues.QueueStatsRequest()
    assert requests.queue_stats_request(QueueStatsRequest(4, 2)).port_no == 4


# Replies


def test_features_come_with_the_ports():
    port = ports13.PortDesc(
        1, MAC, "eth1", state=OFPPS13.LINK_DOWN | OFPPS13.BLOCKED | OFPPS13.LIVE,
        curr=OFPPF13.COPPER | OFPPF13.RATE_1GB_FD | OFPPF13.RATE_1TB_FD,
    )  # fmt: skip
    reply = replies.features_reply(features13.FeaturesReply(7, 256, 254, 0, 0x1FF), (port,))
    assert (reply.datapath_id, reply.n_buffers, reply.n_tables) == (7, 256, 254)
    assert reply.capabilities == 0b1110_0111  # no spanning tree
    assert reply.actions == 0xFFF
    (told,) = reply.ports
    assert (told.port_no, told.hw_addr, told.name) == (1, MAC, "eth1")
    assert told.state == OFPPS.LINK_DOWN | OFPPS.STP_BLOCK
    assert told.curr == OFPPF.COPPER | OFPPF.RATE_1GB_FD


@pytest.mark.parametrize(("reason", "told"), [(0, 0), (1, 1), (2, 1)])
def test_a_packet_in_has_its_port_and_reason(reason, told):
    match = Match13.of(in_port=3, metadata=5)
    message = replies.packet_in(PacketIn13(9, 100, reason, 0, 0, match, b"packet"))
    assert (message.in_port, message.reason, message.data) == (3, told, b"packet")
    assert (message.buffer_id, message.total_len) == (9, 100)


@pytest.mark.parametrize(
    ("reason", "told"),
    [(OFPRR13.IDLE_TIMEOUT, 0), (OFPRR13.HARD_TIMEOUT, 1), (OFPRR13.DELETE, 2),
     (OFPRR13.GROUP_DELETE, 2)],
)  # fmt: skip
def test_a_flow_removed_has_its_reason(reason, told):
    match = Match13.of(in_port=3)
    message = replies.flow_removed(flow13.FlowRemoved(7, 5, reason, 0, 1, 2, 10, 20, 3, 4, match))
    assert (message.reason, message.match) == (told, Match.of(in_port=3))
    assert (message.packet_count, message.byte_count, message.idle_timeout) == (3, 4, 10)


def test_of_an_entry_of_1_3_the_applied_actions_are_told():
    instructions = (ApplyActions((act13.DecNwTtl(), act13.Output(2))), GotoTable(3))
    entry = flow13.FlowStats(1, 0, 0, 5, 0, 0, 0, 0, 0, 0, instructions=instructions)
    assert replies.flow_stats(entry).actions == (act.Output(2, 0xFFFF),)
    assert replies.flow_stats(entry).match == ALL_PACKETS


def test_tables_and_queues_are_told():
    table = replies.table_stats(TableStats13(3, 1, 20, 10), max_entries=1000)
    assert (table.name, table.max_entries, table.active_count) == ("table3", 1000, 1)
    assert (table.lookup_count, table.matched_count) == (20, 10)
    rates = (queues.MinRate(100), queues.MaxRate(500))
    reply = queues.QueueGetConfigReply(OFPP13.LOCAL, (queues.PacketQueue(4, 1, rates),))
    told = replies.queue_get_config_reply(reply)
    assert (told.port, told.queues) == (OFPP.LOCAL, (PacketQueue(4, (MinRate(100),)),))


def test_counters_are_told_without_the_age():
    numbers = range(1, 13)
    ours = replies.port_stats(ports13.PortStats(OFPP13.LOCAL, *numbers, 77, 88))
    assert ours.pack() == (0xFFFE).to_bytes(2, "big") + bytes(6) + b"".join(
        number.to_bytes(8, "big") for number in numbers
    )
    queue = replies.queue_stats(queues.QueueStats(1, 2, 3, 4, 5, 77, 88))
    assert (queue.tx_bytes, queue.tx_packets, queue.tx_errors) == (3, 4, 5)


# Errors


@pytest.mark.parametrize(
    "code",
    [
        code
        for codes in (
            errors13.OFPBRC, errors13.OFPBAC, errors13.OFPBIC, errors13.OFPBMC, errors13.OFPFMFC,
            errors13.OFPPMFC, errors13.OFPQOFC, errors13.OFPSCFC,
        )
        for code in codes
    ],
    ids=lambda code: f"{type(code).__name__}.{code.name}",
)  # fmt: skip
def test_every_refusal_has_a_number_in_1_0(code):
    error = error_to_v10(errors13.refuse(code, "why"))
    told = CODES[OFPET(error.error_type)](error.code)
    assert error.detail == "why"
    if code.name in type(told).__members__ and type(told).__name__ == type(code).__name__:
        assert told.name == code.name


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (errors13.OFPBRC.BAD_MULTIPART, OFPBRC.BAD_STAT),
        (errors13.OFPBRC.BAD_EXPERIMENTER, OFPBRC.BAD_VENDOR),
        (errors13.OFPBAC.BAD_SET_ARGUMENT, OFPBAC.BAD_ARGUMENT),
        (errors13.OFPFMFC.TABLE_FULL, OFPFMFC.ALL_TABLES_FULL),
        (errors13.OFPFMFC.OVERLAP, OFPFMFC.OVERLAP),
        (errors13.OFPBMC.BAD_FIELD, OFPFMFC.UNSUPPORTED),
        (errors13.OFPSCFC.BAD_LEN, OFPBRC.BAD_LEN),
    ],
)
def test_a_refusal_is_told_by_the_nearest_code(code, told):
    error, expected = error_to_v10(errors13.refuse(code, "")), refuse(told, "")
    assert (error.error_type, error.code) == (expected.error_type, expected.code)


def test_what_1_0_refused_itself_stays_as_it_is():
    ours = refuse(OFPBAC.BAD_QUEUE, "no queue 7")
    assert error_to_v10(ours) is ours
    shared = error_to_v10(bad_length("a message", 3))
    assert (shared.error_type, shared.code) == (BAD_REQUEST, BAD_LENGTH)
