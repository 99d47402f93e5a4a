"""ping prints what iputils prints."""

from __future__ import annotations

import re

import pytest

from sdnvirt.commands.ping import milliseconds
from sdnvirt.devices.rules import Deliver, Drop, Duplicate, Pass
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame


class Meddle:
    """A rule that does something to the n-th echo reply."""

    def __init__(self, verdicts: dict[int, object]) -> None:
        self._verdicts = verdicts
        self._seen = 0

    def judge(self, frame: Frame, now: int):
        if frame.size < 98:
            return Pass()
        self._seen += 1
        return self._verdicts.get(self._seen, Deliver())


def meddle(net, **verdicts: object) -> None:
    """Let the link to h1 do something to the replies with these numbers."""
    link = net.link("h1--s1")
    link.add_rule(link.ends[1], Meddle({int(n[1:]): one for n, one in verdicts.items()}))


def test_the_whole_text(net) -> None:
    assert net["h1"].cmd("ping -c 3 10.0.0.2") == (
        "PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.\n"
        "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.124 ms\n"
        "64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=0.071 ms\n"
        "64 bytes from 10.0.0.2: icmp_seq=3 ttl=64 time=0.071 ms\n"
        "\n"
        "--- 10.0.0.2 ping statistics ---\n"
        "3 packets transmitted, 3 received, 0% packet loss, time 2000ms\n"
        "rtt min/avg/max/mdev = 0.071/0.089/0.124/0.025 ms\n"
    )


def test_both_versions(net, ip) -> None:
    for command in (f"ping -c 2 {ip.h2}", f"ping {ip.option} -c 2 {ip.h2}"):
        output = net["h1"].cmd(command)
        assert output.status == 0
        answer = rf"^64 bytes from {ip.h2}: icmp_seq=\d ttl=64 time=[\d.]+ ms$"
        assert len(re.findall(answer, output, re.MULTILINE)) == 2


def test_ping6_is_for_ipv6(net) -> None:
    assert net["h1"].cmd("ping6 -c 1 2001:db8::2").status == 0
    output = net["h1"].cmd("ping6 -c 1 10.0.0.2")
    assert output == "ping: 10.0.0.2: Address family for hostname not supported\n"
    assert output.status == 2


def test_nobody_answers(net, ip) -> None:
    output = net["h1"].cmd(f"ping -c 3 {ip.nobody}")
    unreachable = (
        "Destination Host Unreachable" if ip.is_v4 else
        "Destination unreachable: Address unreachable"
    )  # fmt: skip
    lines = output.splitlines()
    assert lines[1:4] == [f"From {ip.h1} icmp_seq={n} {unreachable}" for n in (1, 2, 3)]
    assert lines[-2:] == [
        "3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2000ms",
        "pipe 3",
    ]
    assert output.status == 1


def test_a_router_says_that_the_time_is_over(net, ip) -> None:
    output = net["h1"].cmd(f"ping -c 1 -t 1 {ip.far}")
    said = "Time to live exceeded" if ip.is_v4 else "Time exceeded: Hop limit"
    assert f"From {ip.router} icmp_seq=1 {said}\n" in output
    assert output.status == 1
    assert f"64 bytes from {ip.far}: icmp_seq=1 ttl=63 " in net["h1"].cmd(f"ping -c 1 {ip.far}")


def test_sizes_and_fragments(net, ip) -> None:
    output = net["h1"].cmd(f"ping -c 1 -s 4000 {ip.h2}")
    assert f"4008 bytes from {ip.h2}: icmp_seq=1" in output
    output = net["h1"].cmd(f"ping -c 1 -s 4000 -M do {ip.h2}")
    sign = "=" if ip.is_v4 else ": "
    assert f"ping: local error: message too long, mtu{sign}1500\n" in output
    assert ", 0 received, +1 errors" in output
    # too little room for the time that real pings carry, so no round trip is told
    output = net["h1"].cmd(f"ping -c 1 -s 8 {ip.h2}")
    assert f"16 bytes from {ip.h2}: icmp_seq=1 ttl=64\n" in output
    assert "rtt" not in output


def test_losses_and_duplicates(net) -> None:
    net["h1"].cmd("ping -c 1 10.0.0.2")
    meddle(net, n1=Drop(DropReason.LINK_LOSS), n2=Duplicate(1))
    output = net["h1"].cmd("ping -c 4 -i 0.2 10.0.0.2")
    assert "icmp_seq=1" not in output
    duplicate = r"icmp_seq=2 ttl=64 time=0\.0\d\d ms\n64 bytes from .*: icmp_seq=2 ttl=64 time=0\.0"
    assert re.search(rf"{duplicate}\d\d ms \(DUP!\)\n", output)
    assert (
        "4 packets transmitted, 3 received, +1 duplicates, 25% packet loss, time 600ms\n" in output
    )


def test_how_long_the_last_answers_are_waited_for(net) -> None:
    net["h1"].cmd("ping -c 1 10.0.0.2")
    meddle(net, **{f"n{n}": Drop(DropReason.LINK_LOSS) for n in range(1, 9)})
    for options, ns in (("-c 2", 11 * 10**9), ("-c 2 -W 0.5", 15 * 10**8), ("-w 3", 3 * 10**9)):
        began = net.now
        output = net["h1"].cmd(f"ping {options} 10.0.0.2")
        assert output.status == 1
        assert net.now - began == ns


def test_quiet(net) -> None:
    output = net["h1"].cmd("ping -q -c 2 10.0.0.2")
    assert output.splitlines()[1:3] == ["", "--- 10.0.0.2 ping statistics ---"]


def test_by_an_interface_or_an_address(net) -> None:
    head = "PING 10.0.0.2 (10.0.0.2) from 10.0.0.1 {}56(84) bytes of data.\n"
    assert net["h1"].cmd("ping -c 1 -I s1 10.0.0.2").startswith(head.format("s1: "))
    assert (
        net["h1"]
        .cmd("ping -c 1 -I 10.0.0.1 10.0.0.2")
        .startswith("PING 10.0.0.2 (10.0.0.2) from 10.0.0.1: 56(84) bytes of data.\n")
    )
    assert net["h1"].cmd("ping -c 1 -I eth7 10.0.0.2") == "ping: unknown iface: eth7\n"
    output = net["h1"].cmd("ping -c 1 -I 10.0.0.7 10.0.0.2")
    assert output == "ping: bind: Cannot assign requested address\n"


def test_a_link_local_address_has_a_zone(net) -> None:
    other = str(net["h2"].host.interface.link_local)
    output = net["h1"].cmd(f"ping -c 1 {other}%s1")
    assert f"64 bytes from {other}: icmp_seq=1 ttl=64" in output


def test_no_way_and_no_name(net) -> None:
    net["h1"].cmd("ip route del default")
    output = net["h1"].cmd("ping -c 1 192.0.2.1")
    assert (output, output.status) == ("ping: connect: Network is unreachable\n", 2)
    output = net["h1"].cmd("ping -c 1 web.example")
    assert output == "ping: web.example: Temporary failure in name resolution\n"
    assert output.status == 2


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (999, "0.000"), (123_456, "0.123"), (1_234_567, "1.23"), (9_994_000, "9.99"),
        (9_995_000, "10.0"), (99_949_000, "99.9"), (99_950_000, "100"), (1_500_400_000, "1500"),
    ],
)  # fmt: skip
def test_round_trips_have_three_digits(ns: int, text: str) -> None:
    assert milliseconds(ns) == text


def test_what_a_full_queue_loses_is_not_called_unreachable(net) -> None:
    net.faults.change("h2--s1", loss=1.0)
    job = net["h1"].start("ping -i 0.005 -c 150 10.0.0.2")
    net.run_for("800ms")
    net.faults.change("h2--s1", loss=0.0)
    net.run_for("20s")
    assert "Unreachable" not in job.output
    assert "150 packets transmitted" in job.output
