"""tcpdump prints frames in its words, and picks them out by its filters."""

from __future__ import annotations

import re

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RS,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPv6,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.utils import rdpcap

from sdnvirt.commands.tcpdump.facts import Facts
from sdnvirt.commands.tcpdump.filters import FilterError, compile_filter
from sdnvirt.commands.tcpdump.lines import Printer


def dumped(net, options: str, *commands: str) -> str:
    """Return what tcpdump on h1 prints while h1 runs commands."""
    job = net["h1"].start(f"tcpdump {options}")
    for one in commands:
        net["h1"].cmd(one)
    job.stop()
    net.run_for("1ms")
    assert job.status == 0
    return job.output


def test_the_whole_text(net) -> None:
    assert dumped(net, "-n", "ping -c 1 10.0.0.2") == (
        "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n"
        "listening on s1, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n"
        "00:00:20.000000 ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n"
        "00:00:20.000053 ARP, Reply 10.0.0.2 is-at 0a:00:00:00:00:02, length 28\n"
        "00:00:20.000053 IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 64\n"
        "00:00:20.000124 IP 10.0.0.2 > 10.0.0.1: ICMP echo reply, id 1, seq 1, length 64\n"
        "4 packets captured\n4 packets received by filter\n0 packets dropped by kernel\n"
    )


def test_streams(net, ip) -> None:
    net["h2"].start("http.server 80")
    lines = dumped(net, "-n tcp port 80", f"curl http://{ip.url(ip.h2)}/").splitlines()[2:-3]
    kind = "IP" if ip.is_v4 else "IP6"
    head = rf"00:00:20\.\d{{6}} {kind} "
    there, back = (
        rf"{ip.h1}\.\d+ > {ip.h2}\.80: ", rf"{ip.h2}\.80 > {ip.h1}\.\d+: ",
    )  # fmt: skip
    options = r"options \[mss \d+,sackOK,TS val \d+ ecr \d+,wscale \d+\], length 0"
    patterns = (
        there + r"Flags \[S[EW]*\], seq \d+, win \d+, " + options,
        back + r"Flags \[SE?\.\], seq \d+, ack \d+, win \d+, " + options,
        there + r"Flags \[\.\], ack 1, win \d+, options \[TS val \d+ ecr \d+\], length 0",
        there + r"Flags \[P\.\], seq 1:\d+, ack 1, win \d+, options .*, length \d+",
    )
    for pattern, line in zip(patterns, lines, strict=False):
        assert re.fullmatch(head + pattern, line), line


def test_lo_shows_each_packet_once(net, ip) -> None:
    localhost = "127.0.0.1" if ip.is_v4 else "::1"
    job = net["h1"].start("tcpdump -i lo -n -e -c 2")
    assert net["h1"].cmd(f"ping -c 2 {localhost}").status == 0
    *_, request, reply, captured, _, _ = job.output.splitlines()
    assert "00:00:00:00:00:00 > 00:00:00:00:00:00" in request
    assert "echo request" in request
    assert "echo reply" in reply
    assert captured == "2 packets captured"


def test_a_count_ends_it(net) -> None:
    job = net["h1"].start("tcpdump -c 2 icmp")
    net["h1"].cmd("ping -c 3 10.0.0.2")
    assert job.done
    assert "2 packets captured\n" in job.output


def test_layers_below(net, ip) -> None:
    output = dumped(net, "-e -v icmp or icmp6", f"ping -c 1 {ip.h2}")
    name = "IPv4 (0x0800)" if ip.is_v4 else "IPv6 (0x86dd)"
    assert f"0a:00:00:00:00:01 > 0a:00:00:00:00:02, ethertype {name}, length " in output
    assert ("ttl 64, id " if ip.is_v4 else "hlim 64, next-header ICMPv6 (58)") in output


def test_a_file(net, tmp_path) -> None:
    path = tmp_path / "out.pcapng"
    output = dumped(net, f"-w {path} icmp", "ping -c 2 10.0.0.2")
    assert output.endswith("4 packets captured\n4 packets received by filter\n"
                           "0 packets dropped by kernel\n")  # fmt: skip
    assert [one[ICMP].type for one in rdpcap(str(path))] == [8, 0, 8, 0]
    failed = net["h1"].cmd(f"tcpdump -c 1 -w {tmp_path}/none/x")
    assert failed.startswith("tcpdump: cannot write ")


def test_mistakes(net) -> None:
    assert net["h1"].cmd("tcpdump -i eth7") == "tcpdump: eth7: No such device exists\n"
    output = net["h1"].cmd("tcpdump port x")
    assert (output, output.status) == ("tcpdump: invalid port 'x'\n", 1)


M1, M2 = "02:00:00:00:00:01", "02:00:00:00:00:02"
ETHER = Ether(src=M1, dst=M2)
FRAMES = {
    "tcp4": ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=5000, dport=80),
    "udp4": ETHER / IP(src="10.0.0.2", dst="10.0.1.1") / UDP(sport=53, dport=6000),
    "icmp": ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP() / (b"x" * 500),
    "tcp6": ETHER / IPv6(src="2001:db8::1", dst="2001:db8::2") / TCP(sport=80, dport=5000),
    "arp": Ether(src=M2, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc="10.0.0.2", pdst="10.0.0.1"),
    "vlan": ETHER / Dot1Q(vlan=7) / IP(src="10.0.0.9", dst="10.0.0.2") / UDP(sport=1, dport=2),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "tcp4 udp4 icmp tcp6 arp vlan"),
        ("tcp", "tcp4 tcp6"),
        ("ip and tcp", "tcp4"),
        ("ip6", "tcp6"),
        ("not ip", "tcp6 arp"),
        ("port 80", "tcp4 tcp6"),
        ("src port 80", "tcp6"),
        ("tcp dst port 80", "tcp4"),
        ("udp port 80", ""),
        ("port 80 or 53", "tcp4 udp4 tcp6"),
        ("portrange 50-100", "tcp4 udp4 tcp6"),
        ("host 10.0.0.1", "tcp4 icmp arp"),
        ("10.0.0.1 and icmp", "icmp"),
        ("src host 10.0.0.2", "udp4 arp"),
        ("src 10.0.0.2", "udp4 arp"),
        ("host 2001:db8::1", "tcp6"),
        ("dst net 10.0.1.0/24", "udp4"),
        ("net 2001:db8::/32", "tcp6"),
        ("ether src 02:00:00:00:00:02", "arp"),
        ("broadcast", "arp"),
        ("ether multicast", "arp"),
        ("vlan", "vlan"),
        ("vlan 8", ""),
        ("greater 500", "icmp"),
        ("less 60 and arp", "arp"),
        ("ip proto 17", "udp4 vlan"),
        ("(arp or icmp) and not host 10.0.0.9", "icmp arp"),
        ("! (tcp || udp)", "icmp arp"),
        ("arp or icmp and host 10.0.0.9", ""),
        ("src or dst port 80", "tcp4 tcp6"),
        ("src or dst host 10.0.1.1 or arp", "udp4 arp"),
        ("src 10.0.0.2 or dst 10.0.1.1", "udp4 arp"),
        ("net 10.0.1", "udp4"),
        ("dst net 10", "tcp4 udp4 icmp arp vlan"),
        ("net 10.0.1.0 mask 255.255.255.0", "udp4"),
        ("port http", "tcp4 tcp6"),
        ("src port domain or http", "udp4 tcp6"),
        ("ether proto 0x0806", "arp"),
        ("ether proto ip6", "tcp6"),
        ("ip multicast", ""),
        ("ip6 multicast or icmp", "icmp"),
    ],
)
def test_filters(text: str, names: str) -> None:
    wanted = compile_filter(text)
    found = [name for name, frame in FRAMES.items() if wanted(Facts.of(bytes(frame)))]
    assert found == names.split()


@pytest.mark.parametrize(
    "text",
    ["(", ")", "tcp and", "port", "port 70000", "host x", "ether src x", "net 10.0.0.1/8", "foo",
     "ip broadcast", "ether proto x", "net 10.0 mask 255.0.255.0", "port nosuch", "tcp[13] & 2",
     "less x", "(" * 200 + "tcp" + ")" * 200, "not " * 300 + "tcp", "a & b"],
)  # fmt: skip
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(FilterError):
        compile_filter(text)


def test_malformed_frames_are_no_trouble(net) -> None:
    job = net["h1"].start("tcpdump -e -v")
    for name in FRAMES:
        data = bytes(FRAMES[name])
        for size in range(0, len(data), 3):
            net.inject("h1:s1", data[:size])
    net.run_for("1s")
    job.stop()
    net.run_for("1ms")
    assert job.status == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port 53 or", "can't parse filter expression: a term is missing at the end"),
        ("port", "can't parse filter expression: a value is missing behind 'port'"),
        ("tcp[tcpflags] & tcp-syn != 0", "'tcp[tcpflags]' is not there: bytes and lengths are"),
        ("len > 100", "'len' is not there: bytes and lengths are"),
        ("ip broadcast", "'ip broadcast' is not there: which addresses are"),
    ],
)
def test_what_is_said_of_it(text: str, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    assert str(caught.value).startswith(said)


V4 = IP(src="10.0.0.1", dst="10.0.0.2")
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2")
UDP4 = IP(src="10.0.0.2", dst="10.0.0.1") / UDP(sport=5, dport=9) / b"x"
TCP4 = IP(src="10.0.0.2", dst="10.0.0.1") / TCP(sport=5, dport=80)
UDP6 = IPv6(src="2001:db8::2", dst="2001:db8::1") / UDP(sport=5, dport=9) / b"x"


def unreachable(code: int, about=UDP4, **fields):
    return V4 / ICMP(type=3, code=code, **fields) / bytes(about)


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (unreachable(0), "ICMP net 10.0.0.1 unreachable, length 37"),
        (unreachable(1), "ICMP host 10.0.0.1 unreachable, length 37"),
        (unreachable(2), "ICMP 10.0.0.1 protocol 17 unreachable, length 37"),
        (unreachable(3), "ICMP 10.0.0.1 udp port 9 unreachable, length 37"),
        (unreachable(3, TCP4), "ICMP 10.0.0.1 tcp port 80 unreachable, length 48"),
        (
            unreachable(4, nexthopmtu=1300),
            "ICMP 10.0.0.1 unreachable - need to frag (mtu 1300), length 37",
        ),
        (unreachable(9), "ICMP net 10.0.0.1 unreachable - admin prohibited, length 37"),
        (unreachable(10), "ICMP host 10.0.0.1 unreachable - admin prohibited, length 37"),
        (unreachable(13), "ICMP host 10.0.0.1 unreachable - admin prohibited filter, length 37"),
        (V4 / ICMP(type=11) / bytes(UDP4), "ICMP time exceeded in-transit, length 37"),
        (
            V6 / ICMPv6ND_NS(tgt="2001:db8::2"),
            "ICMP6, neighbor solicitation, who has 2001:db8::2, length 24",
        ),
        (
            V6 / ICMPv6ND_NA(tgt="2001:db8::1"),
            "ICMP6, neighbor advertisement, tgt is 2001:db8::1, length 24",
        ),
        (V6 / ICMPv6ND_RS(), "ICMP6, router solicitation, length 8"),
        (
            V6 / ICMPv6DestUnreach(code=4) / bytes(UDP6),
            "ICMP6, destination unreachable, unreachable port, 2001:db8::1 udp port 9, length 57",
        ),
        (
            V6 / ICMPv6DestUnreach(code=0) / bytes(UDP6),
            "ICMP6, destination unreachable, unreachable route 2001:db8::1, length 57",
        ),
        (
            V6 / ICMPv6TimeExceeded() / bytes(UDP6),
            "ICMP6, time exceeded in-transit for 2001:db8::1, length 57",
        ),
        (
            V6 / ICMPv6PacketTooBig(mtu=1300) / bytes(UDP6),
            "ICMP6, packet too big, mtu 1300, length 57",
        ),
    ],
)
def test_errors_and_neighbours_in_the_words_of_the_real_tool(packet, said: str) -> None:
    line = Printer(link=False, verbose=False).line(Facts.of(bytes(ETHER / packet)), 0)
    assert line.partition(": ")[2] == said
