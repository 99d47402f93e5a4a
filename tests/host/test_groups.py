"""Multicast: group membership on both sides of a cable, and datagrams to groups."""

from __future__ import annotations

import random
from ipaddress import IPv4Interface, IPv6Interface

import pytest
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3mq, IGMPv3mr
from scapy.layers.inet import IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6MLDone,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6MLReport,
    ICMPv6MLReport2,
    IPv6,
    IPv6ExtHdrHopByHop,
    RouterAlert,
)
from scapy.layers.l2 import Dot1Q, Ether

from sdnvirt.addresses import ALL_NODES, Ipv4, Ipv6
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.membership import (
    ALL_HOSTS,
    GROUP_LIMIT,
    OLD_ROUTER_NS,
    Changed,
    Current,
    Membership,
)
from sdnvirt.host.udp import UdpSocket

S = 10**9
GROUPS = {"IPv4": Ipv4("239.1.2.3"), "IPv6": Ipv6("ff05::123")}
WIRE = "02:00:00:00:00:02"


class TestMachine:
    @pytest.fixture(params=GROUPS.values(), ids=GROUPS)
    def group(self, request):
        return request.param

    @pytest.fixture
    def machine(self):
        return Membership(random.Random(1))

    def test_a_change_is_told_twice(self, machine, group) -> None:
        assert machine.join(group, 0) == [Changed(group, True, False)]
        due = machine.next_timeout()
        assert 0 < due <= S
        assert machine.tick(due) == [Changed(group, True, False)]
        assert machine.next_timeout() == NEVER
        assert machine.leave(group, S) == [Changed(group, False, False)]
        assert machine.groups == ()

    def test_leaving_overrides_what_was_to_be_told_of_joining(self, machine, group) -> None:
        machine.join(group, 0)
        machine.leave(group, 0)
        assert machine.tick(NEVER - 1) == [Changed(group, False, False)]

    def test_a_query_is_answered_in_time(self, machine, group) -> None:
        machine.join(group, 0)
        machine.tick(S)
        machine.queried(type(group)(bytes(len(group))), 5000, False, 2 * S)
        due = machine.next_timeout()
        assert 2 * S <= due < 7 * S
        assert machine.tick(due) == [Current((group,), False)]

    def test_a_query_for_another_group_is_not_answered(self, machine, group) -> None:
        machine.join(group, 0)
        machine.tick(S)
        machine.queried(type(group)(int(group) + 1), 5000, False, 2 * S)
        assert machine.next_timeout() == NEVER

    def test_an_old_router_is_spoken_to_in_its_version(self, machine, group) -> None:
        machine.queried(type(group)(bytes(len(group))), 5000, True, 0)
        assert machine.join(group, 0) == [Changed(group, True, True)]
        machine.tick(S)
        assert machine.leave(group, 2 * S) == [Changed(group, False, True)]
        assert machine.next_timeout() == NEVER
        assert machine.join(group, OLD_ROUTER_NS) == [Changed(group, True, False)]

    def test_one_report_of_an_old_version_is_enough(self, machine, group) -> None:
        machine.join(group, 0)
        machine.tick(S)
        machine.queried(group, 5000, True, 2 * S)
        machine.overheard(group)
        assert machine.next_timeout() == NEVER

    def test_groups_that_everybody_is_in_are_not_told_of(self, machine) -> None:
        for group in (ALL_HOSTS, ALL_NODES, Ipv6("ff01::7")):
            assert machine.join(group, 0) == []
            machine.queried(type(group)(bytes(len(group))), 5000, False, 0)
        assert machine.next_timeout() == NEVER


def run(wired, seconds: float) -> None:
    scheduler = wired.world.scheduler
    scheduler.run_until(scheduler.now + int(seconds * S))


def heard(wired) -> list:
    return [Ether(data) for data in wired.wire.listen()]


def records_of(report) -> list:
    """Return the records of a report, which scapy chains in MLD."""
    found = []
    for record in report.records:
        while record:
            found.append(record)
            record = record.payload
    return found


class TestOnTheWire:
    def test_joining_and_leaving_in_igmpv3(self, wired) -> None:
        interface = wired.host.interface
        interface.join(GROUPS["IPv4"])
        run(wired, 2)
        reports = heard(wired)
        assert [one[IP].dst for one in reports] == ["224.0.0.22"] * 2
        assert [one.dst for one in reports] == ["01:00:5e:00:00:16"] * 2
        for one in reports:
            assert one[IP].ttl == 1
            assert isinstance(one[IP].options[0], IPOption_Router_Alert)
            [record] = one[IGMPv3mr].records
            assert (record.rtype, record.maddr) == (4, "239.1.2.3")
        interface.leave(GROUPS["IPv4"])
        [left, *_] = heard(wired)
        assert left[IGMPv3mr].records[0].rtype == 3

    def test_joining_and_leaving_in_mldv2(self, wired6) -> None:
        interface = wired6.host.interface
        interface.join(GROUPS["IPv6"])
        run(wired6, 2)
        reports = heard(wired6)
        assert [one[IPv6].dst for one in reports] == ["ff02::16"] * 2
        for one in reports:
            assert (one[IPv6].hlim, one[IPv6].src) == (1, "fe80::ff:fe00:1")
            assert isinstance(one[IPv6ExtHdrHopByHop].options[0], RouterAlert)
            [record] = one[ICMPv6MLReport2].records
            assert (record.rtype, record.dst) == (4, "ff05::123")
        interface.leave(GROUPS["IPv6"])
        assert heard(wired6)[0][ICMPv6MLReport2].records[0].rtype == 3

    def test_queries_are_answered(self, wired6, ip) -> None:
        interface = wired6.host.interface
        interface.join(GROUPS[ip.name])
        run(wired6, 2)
        heard(wired6)
        if ip.is_v4:
            query = Ether(dst="01:00:5e:00:00:01", src=WIRE) / IP(
                src="10.0.0.2", dst="224.0.0.1", ttl=1, proto=2
            ) / IGMPv3mq(mrcode=10)  # fmt: skip
        else:
            query = Ether(dst="33:33:00:00:00:01", src=WIRE) / IPv6(
                src="fe80::2", dst="ff02::1", hlim=1
            ) / IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLQuery2(mrd=1000)  # fmt: skip
        wired6.wire.say(bytes(query))
        run(wired6, 2)
        layer = IGMPv3mr if ip.is_v4 else ICMPv6MLReport2
        answers = [one[layer] for one in heard(wired6)]
        told = {
            record.maddr if ip.is_v4 else record.dst: record.rtype
            for answer in answers
            for record in records_of(answer)
        }
        assert told[str(GROUPS[ip.name])] == 2

    def test_old_queriers_are_answered_in_their_version(self, wired6, ip) -> None:
        interface = wired6.host.interface
        interface.join(GROUPS[ip.name])
        run(wired6, 2)
        heard(wired6)
        group = str(GROUPS[ip.name])
        if ip.is_v4:
            query = Ether(dst="01:00:5e:00:00:01", src=WIRE) / IP(
                src="10.0.0.2", dst="224.0.0.1", ttl=1
            ) / IGMP(type=0x11, mrcode=10)  # fmt: skip
        else:
            query = Ether(dst="33:33:00:00:00:01", src=WIRE) / IPv6(
                src="fe80::2", dst="ff02::1", hlim=1
            ) / IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLQuery(mrd=1000)  # fmt: skip
        wired6.wire.say(bytes(query))
        run(wired6, 2)
        answers = heard(wired6)
        interface.leave(GROUPS[ip.name])
        [done] = heard(wired6)
        if ip.is_v4:
            assert [(one[IGMP].type, one[IP].dst) for one in answers] == [(0x16, group)]
            assert (done[IGMP].type, done[IP].dst) == (0x17, "224.0.0.2")
        else:
            assert group in [one[IPv6].dst for one in answers if ICMPv6MLReport in one]
            assert (done[ICMPv6MLDone].mladdr, done[IPv6].dst) == (group, "ff02::2")

    @pytest.mark.parametrize(
        "wrong",
        [{"hlim": 9}, {"src": "2001:db8::2"}, {"nh": 58}],
        ids=["crossed a router", "from a global address", "without router alert"],
    )
    def test_a_wrong_query_is_malformed(self, wired6, wrong) -> None:
        header = IPv6(**{"src": "fe80::2", "dst": "ff02::1", "hlim": 1, **wrong})
        alert = IPv6ExtHdrHopByHop(options=[RouterAlert()])
        packet = header if "nh" in wrong else header / alert
        query = Ether(dst="33:33:00:00:00:01", src=WIRE) / packet / ICMPv6MLQuery2(mrd=1000)
        before = wired6.world.ledger.by_reason().get(DropReason.MALFORMED, 0)
        wired6.wire.say(bytes(query))
        assert wired6.world.ledger.by_reason()[DropReason.MALFORMED] == before + 1

    def test_the_number_of_groups_is_bounded(self, wired) -> None:
        interface = wired.host.interface
        joined = sum(interface.join(Ipv4(0xEF000000 + n)) for n in range(2 * GROUP_LIMIT))
        assert joined == GROUP_LIMIT - 1  # one is that of all hosts
        assert len(interface.groups) == GROUP_LIMIT


class TestDatagrams:
    def test_a_group_gets_them(self, dual, ip) -> None:
        got: list[tuple] = []
        server = UdpSocket(dual.bob, 9, lambda *datagram: got.append(datagram))
        group = GROUPS[ip.name]
        client = UdpSocket(dual.alice, 0, lambda *_: None, interface=dual.alice.interface)
        client.send(group, 9, b"before")
        dual.run(1)
        assert server.join(group)
        assert server.join(group)
        client.send(group, 9, b"within")
        dual.run(1)
        server.leave(group)
        client.send(group, 9, b"after")
        dual.run(1)
        assert [(src, data) for src, _, data, _ in got] == [(ip.alice, b"within")]

    def test_a_member_hears_itself(self, dual, ip) -> None:
        got: list[tuple] = []
        socket = UdpSocket(dual.alice, 9, lambda *datagram: got.append(datagram))
        socket.join(GROUPS[ip.name])
        socket.send(GROUPS[ip.name], 9, b"to all of us")
        dual.run(1)
        assert [(src, data) for src, _, data, _ in got] == [(ip.alice, b"to all of us")]

    def test_a_group_goes_by_the_first_interface_or_where_it_was_joined(self, wired6, ip) -> None:
        vlan = wired6.host.add_vlan(5)
        wired6.host.configure(IPv4Interface("10.5.0.1/24"), interface=vlan)
        wired6.host.configure(IPv6Interface("2001:db8:5::1/64"), interface=vlan)
        run(wired6, 15)
        heard(wired6)
        socket = UdpSocket(wired6.host, 0, lambda *_: None)
        socket.send(GROUPS[ip.name], 9, b"x")
        assert [Dot1Q in one for one in heard(wired6) if UDP in one] == [False]
        socket.join(GROUPS[ip.name], vlan)
        run(wired6, 2)
        heard(wired6)
        socket.send(GROUPS[ip.name], 9, b"x")
        assert [Dot1Q in one for one in heard(wired6) if UDP in one] == [True]

    def test_two_sockets_of_a_host_share_a_membership(self, dual, ip) -> None:
        group = GROUPS[ip.name]
        got: list[bytes] = []
        first = UdpSocket(dual.bob, 9, lambda _s, _p, data, _c: got.append(data))
        second = UdpSocket(dual.bob, 10, lambda *_: None)
        first.join(group)
        second.join(group)
        second.close()
        client = UdpSocket(dual.alice, 0, lambda *_: None, interface=dual.alice.interface)
        client.send(group, 9, b"still")
        dual.run(1)
        assert got == [b"still"]
        first.close()
        assert group not in dual.bob.interface.groups

    def test_the_hop_limit_is_one_unless_more_is_asked_for(self, wired6, ip) -> None:
        client = UdpSocket(wired6.host, 0, lambda *_: None, interface=wired6.host.interface)
        client.send(GROUPS[ip.name], 9, b"x")
        client.hop_limit = 7
        client.send(GROUPS[ip.name], 9, b"x")
        layer = IP if ip.is_v4 else IPv6
        frames = [one for one in heard(wired6) if UDP in one]
        limits = [one[layer].ttl if ip.is_v4 else one[layer].hlim for one in frames]
        assert limits == [1, 7]
        mac = "01:00:5e:01:02:03" if ip.is_v4 else "33:33:00:00:01:23"
        assert [one.dst for one in frames] == [mac] * 2

    def test_no_errors_about_datagrams_to_groups(self, wired6, ip) -> None:
        wired6.host.interface.join(GROUPS[ip.name])
        run(wired6, 2)
        heard(wired6)
        packet = ip.header(ip.bob, GROUPS[ip.name]) / UDP(sport=5, dport=9) / b"x"
        wired6.wire.say(bytes(Ether(dst=GROUPS[ip.name].group_mac, src=WIRE) / packet))
        assert heard(wired6) == []
        assert wired6.world.ledger.by_reason()[DropReason.PORT_UNREACHABLE] == 1
