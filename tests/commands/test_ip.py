"""ip, arp and ss print what the real ones print."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

MAC = r"[0-9a-f]{2}(:[0-9a-f]{2}){5}"
LINES = {
    "ip addr": [
        r"\d+: [\w@.-]+: <[A-Z_,-]+> mtu \d+ qdisc \w+ state [A-Z]+ group \w+( qlen \d+)?",
        rf"    link/\w+ {MAC} brd {MAC}( .*)?",
        r"    inet [\d.]+/\d+ (brd [\d.]+ )?scope \w+( \w+)* \S+",
        r"    inet6 [0-9a-f:]+/\d+ scope \w+( \w+)*",
        r"       valid_lft (forever|\d+sec) preferred_lft (forever|\d+sec)",
    ],
    "ip link": [
        r"\d+: [\w@.-]+: <[A-Z_,-]+> mtu \d+ qdisc \w+ state [A-Z]+ mode \w+ group \w+( qlen \d+)?",
        rf"    link/\w+ {MAC} brd {MAC}( .*)?",
    ],
    "ip route": [
        r"default via [\d.]+ dev \S+( \w+ \S+)*",
        r"[\d./]+ dev \S+ proto kernel scope link src [\d.]+( metric \d+)?( linkdown)?",
    ],
    "ss -ta": [
        r"State +Recv-Q +Send-Q +Local Address:Port +Peer Address:Port *(Process)?",
        r"[A-Z-]+\d? +\d+ +\d+ +\S+:\S+ +\S+:\S+.*",
    ],
}
"""What each line of a command's output looks like."""


def shapes(command: str, output: str) -> list[str]:
    """Return the lines that look like none of the real command's."""
    return [
        one for one in output.splitlines()
        if not any(re.fullmatch(known, one.rstrip()) for known in LINES[command])
    ]  # fmt: skip


@pytest.mark.parametrize("command", LINES)
def test_lines_look_like_the_real_ones(net, command: str) -> None:
    net["h1"].host.tcp.listen(80, lambda _: None)
    output = net["h1"].cmd(command)
    assert output.status == 0
    assert shapes(command, output) == []
    for pattern in LINES[command]:
        assert any(re.fullmatch(pattern, one) for one in output.splitlines()), pattern


@pytest.mark.parametrize("command", LINES)
def test_the_real_ones_look_so(command: str) -> None:
    words = command.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{command} does not work here")
    assert shapes(command, done.stdout) == []


def test_addresses(net) -> None:
    assert net["h1"].cmd("ip addr show dev s1") == (
        "2: s1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default "
        "qlen 1000\n"
        "    link/ether 0a:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
        "    inet 10.0.0.1/24 brd 10.0.0.255 scope global s1\n"
        "       valid_lft forever preferred_lft forever\n"
        "    inet6 fe80::800:ff:fe00:1/64 scope link\n"
        "       valid_lft forever preferred_lft forever\n"
        "    inet6 2001:db8::1/64 scope global\n"
        "       valid_lft forever preferred_lft forever\n"
    )
    brief = "{:<16} {:<14} ".format
    lo, s1 = brief("lo", "UNKNOWN"), brief("s1", "UP")
    assert net["h1"].cmd("ip -br -4 a") == f"{lo}127.0.0.1/8\n{s1}10.0.0.1/24\n"
    assert net["h1"].cmd("ip -br -6 a") == (
        f"{lo}::1/128\n{s1}fe80::800:ff:fe00:1/64 2001:db8::1/64\n"
    )
    assert "inet " not in net["h1"].cmd("ip -6 addr")


def test_lo_is_the_first(net) -> None:
    assert (
        net["h1"]
        .cmd("ip addr")
        .startswith(
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default "
            "qlen 1000\n"
            "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
            "    inet 127.0.0.1/8 scope host lo\n"
            "       valid_lft forever preferred_lft forever\n"
            "    inet6 ::1/128 scope host\n"
            "       valid_lft forever preferred_lft forever\n"
            "2: s1: "
        )
    )
    assert net["h1"].cmd("ip -br link").split()[:4] == [
        "lo", "UNKNOWN", "00:00:00:00:00:00", "<LOOPBACK,UP,LOWER_UP>",
    ]  # fmt: skip
    assert net["h1"].cmd("ip link set lo down") == ""
    assert "1: lo: <LOOPBACK> mtu 65536 qdisc noqueue state DOWN" in net["h1"].cmd("ip link")
    assert "::1/" not in net["h1"].cmd("ip -6 addr show lo")
    assert net["h1"].cmd("ping -c 1 127.0.0.1").status == 1
    assert net["h1"].cmd("ip link set lo up") == ""
    assert net["h1"].cmd("ping -c 1 127.0.0.1").status == 0
    assert net["h1"].cmd("ping -c 1 ::1").status == 0


def test_addresses_come_and_go(net, ip) -> None:
    new, peer, length = (
        ("10.7.0.1", "10.7.0.2", 24) if ip.is_v4 else ("2001:db8:7::1", "2001:db8:7::2", 64)
    )
    for host, one in (("h1", new), ("h2", peer)):
        assert net[host].cmd(f"ip addr add {one}/{length} dev s1") == ""
    if not ip.is_v4:
        assert "tentative" in net["h1"].cmd("ip addr")
    net.run_for("3s")
    assert net["h1"].cmd(f"ping -c 1 {peer}").status == 0
    assert net["h1"].cmd(f"ip addr add {new}/{length} dev s1") == "RTNETLINK answers: File exists\n"
    assert net["h1"].cmd(f"ip addr del {new}/{length} dev s1") == ""
    assert new not in net["h1"].cmd("ip addr") + net["h1"].cmd(f"ip {ip.option} route")
    output = net["h1"].cmd(f"ip addr del {new}/{length} dev s1")
    assert output == "RTNETLINK answers: Cannot assign requested address\n"
    assert output.status == 2
    assert net["h1"].cmd(f"ping -c 1 {ip.h2}").status == 0


def test_a_prefix_that_two_addresses_share_stays(net) -> None:
    net["h1"].cmd("ip addr add 10.0.0.11/24 dev s1")
    net["h1"].cmd("ip addr del 10.0.0.11/24 dev s1")
    assert "10.0.0.0/24 dev s1 proto kernel" in net["h1"].cmd("ip route")


def test_routes(net) -> None:
    assert net["h1"].cmd("ip route") == (
        "default via 10.0.0.254 dev s1\n"
        "10.0.0.0/24 dev s1 proto kernel scope link src 10.0.0.1\n"
    )  # fmt: skip
    assert net["h1"].cmd("ip -6 route") == (
        "default via 2001:db8::254 dev s1 metric 1024 pref medium\n"
        "2001:db8::/64 dev s1 proto kernel metric 256 pref medium\n"
        "fe80::/64 dev s1 proto kernel metric 256 pref medium\n"
    )
    get = "ip route get"
    assert net["h1"].cmd(f"{get} 10.0.0.2") == "10.0.0.2 dev s1 src 10.0.0.1 uid 0\n    cache\n"
    assert net["h1"].cmd(f"{get} 10.0.9.2") == (
        "10.0.9.2 via 10.0.0.254 dev s1 src 10.0.0.1 uid 0\n    cache\n"
    )
    assert net["h1"].cmd(f"{get} 10.0.0.1").startswith("local 10.0.0.1 dev lo src 10.0.0.1")
    assert net["h1"].cmd(f"{get} 2001:db8:9::2") == (
        "2001:db8:9::2 from :: via 2001:db8::254 dev s1 src 2001:db8::1\n"
    )


def test_routes_come_and_go(net, ip) -> None:
    default = f"ip {ip.option} route {{}} default via {ip.router}"
    assert net["h1"].cmd(default.format("del")) == ""
    assert net["h1"].cmd(f"ping -c 1 {ip.far}").status == 2
    output = net["h1"].cmd(f"ip {ip.option} route get {ip.far}")
    assert (output, output.status) == ("RTNETLINK answers: Network is unreachable\n", 2)
    gone = net["h1"].cmd(default.format("del"))
    assert (gone, gone.status) == ("RTNETLINK answers: No such process\n", 2)
    assert net["h1"].cmd(default.format("add")) == ""
    assert net["h1"].cmd(default.format("add")) == "RTNETLINK answers: File exists\n"
    assert net["h1"].cmd(f"ping -c 1 {ip.far}").status == 0
    net["h1"].cmd(default.format("del"))
    wrong = net["h1"].cmd(f"ip {ip.option} route add default via {ip.far}")
    assert (wrong, wrong.status) == ("Error: Nexthop has invalid gateway.\n", 2)


def test_neighbours(net, ip) -> None:
    net["h1"].cmd(f"ping -c 1 {ip.h2}")
    neighbours = f"ip {ip.option} neigh"
    assert f"{ip.h2} dev s1 lladdr 0a:00:00:00:00:02 REACHABLE\n" in net["h1"].cmd(neighbours)
    job = net["h1"].start(f"ping {ip.nobody}")
    net.run_for("100ms")
    assert f"{ip.nobody} dev s1 INCOMPLETE\n" in net["h1"].cmd(neighbours)
    job.stop()
    net.run_for("31s")
    assert f"{ip.h2} dev s1 lladdr 0a:00:00:00:00:02 STALE\n" in net["h1"].cmd(neighbours)
    assert net["h1"].cmd(f"ip {ip.option} neigh flush all") == ""
    assert net["h1"].cmd(neighbours) == ""


def test_arp(net) -> None:
    assert net["h1"].cmd("arp -n") == ""
    net["h1"].cmd("ping -c 1 10.0.0.2")
    assert net["h1"].cmd("arp -n") == (
        "Address                  HWtype  HWaddress           Flags Mask            Iface\n"
        "10.0.0.2                 ether   0a:00:00:00:00:02   C                     s1\n"
    )
    assert net["h1"].cmd("arp -an") == "? (10.0.0.2) at 0a:00:00:00:00:02 [ether] on s1\n"
    missing = net["h1"].cmd("arp -n 10.0.0.77")
    assert (missing, missing.status) == ("10.0.0.77 -- no entry\n", 1)


def test_links(net) -> None:
    assert "<BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500" in net["h1"].cmd("ip link")
    port = net["h1"].port()
    assert f"    {port.rx_bytes:>10} {port.rx_packets:>7}      0 " in net["h1"].cmd("ip -s link")
    net.set_link("h1--s1", False)
    assert "<NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN" in net["h1"].cmd(
        "ip link show s1"
    )


def test_links_are_set_down_and_up(net, ip) -> None:
    h1 = net["h1"]
    assert h1.cmd("ip link set dev s1 down") == ""
    assert "s1: <BROADCAST,MULTICAST> mtu 1500 qdisc noqueue state DOWN" in h1.cmd("ip link")
    assert h1.cmd("ip -br link show s1").split()[1] == "DOWN"
    assert h1.cmd("ip -br addr show s1").split() == ["s1", "DOWN", "10.0.0.1/24"]
    assert h1.cmd("ip route") + h1.cmd("ip -6 route") == ""
    assert h1.cmd(f"ping -c 1 {ip.h2}").status == 2
    assert net["h2"].cmd(f"ping -c 1 -W 1 {ip.h1}").status == 1
    assert h1.cmd("ip link set s1 up") == ""
    assert h1.cmd("ip route") == "10.0.0.0/24 dev s1 proto kernel scope link src 10.0.0.1\n"
    assert "inet6 fe80::800:ff:fe00:1/64 scope link tentative\n" in h1.cmd("ip -6 addr")
    h1.cmd("ip addr add 2001:db8::1/64 dev s1")
    net.run_for("3s")
    assert h1.cmd(f"ping -c 1 {ip.h2}").status == 0


def test_vlans_are_set_down_and_up(net) -> None:
    h1 = net["h1"]
    h1.host.add_vlan(5)
    up = "s1.5@s1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP"
    assert up in h1.cmd("ip link show s1.5")
    h1.cmd("ip link set s1.5 down")
    assert "s1.5@s1: <BROADCAST,MULTICAST> mtu" in h1.cmd("ip link")
    h1.cmd("ip link set s1 down")
    assert "s1.5@s1: <BROADCAST,MULTICAST,M-DOWN> mtu" in h1.cmd("ip link")
    assert h1.cmd("ip link set s1.5 up") == "RTNETLINK answers: Network is down\n"
    h1.cmd("ip link set s1 up")
    assert up in h1.cmd("ip link show s1.5")
    net.set_link("h1--s1", False)
    down = "s1.5@s1: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue "
    assert f"{down}state LOWERLAYERDOWN" in h1.cmd("ip link")


def test_the_mtu_of_a_link_is_set(net, ip) -> None:
    h1 = net["h1"]
    assert h1.cmd("ip link set s1 mtu 1400") == ""
    assert "mtu 1400" in h1.cmd("ip link show s1")
    size = 1400 - (28 if ip.is_v4 else 48)
    assert h1.cmd(f"ping -c 1 -M do -s {size} {ip.h2}").status == 0
    assert h1.cmd(f"ping -c 1 -M do -s {size + 1} {ip.h2}").status == 1


@pytest.mark.parametrize(
    ("line", "said", "status"),
    [
        ("ip foo", 'Object "foo" is unknown, try "ip help".', 1),
        ("ip addr show eth9", 'Cannot find device "eth9"', 1),
        ("ip addr add x dev s1", 'Error: any valid prefix is expected rather than "x".', 1),
        ("ip route get x", 'Error: inet address is expected rather than "x".', 1),
        ("ip route add", "Command line is not complete. Missing address.", 255),
        ("ip neigh show dev s1 x", 'Error: either "to" is duplicate, or "x" is a garbage.', 255),
        ("ip route add 10.8.0.0/16", "RTNETLINK answers: No such device", 2),
        ("ip link set", 'Not enough information: "dev" argument is required.', 255),
        ("ip link set eth9 up", 'Cannot find device "eth9"', 1),
        ("ip link set s1 foo", 'Error: either "dev" is duplicate, or "foo" is a garbage.', 255),
        ("ip link set s1 mtu", "Command line is not complete. Missing mtu.", 255),
        ("ip link set s1 mtu x", 'Error: argument "x" is wrong: Invalid "mtu" value', 255),
        ("ip link set s1 mtu 67", "Error: mtu less than device minimum.", 2),
        ("ip link set s1 mtu 65536", "Error: mtu greater than device maximum.", 2),
        ("ip link set s1 mtu 1279", "RTNETLINK answers: Invalid argument", 2),  # it speaks IPv6
        ("ip link set s1 master br0", "RTNETLINK answers: Operation not supported", 2),
        ("ip link add br0 type bridge", "RTNETLINK answers: Operation not supported", 2),
        (
            "ip route add 10.8.0.0/16 via 2001:db8::254",
            "Error: inet prefix and gateway of different families.", 1,
        ),
        (
            "ip route add 10.8.0.0/16 via 10.0.0.254 metric x",
            'Error: argument "x" is wrong: "metric" value is invalid', 255,
        ),
    ],
)  # fmt: skip
def test_mistakes(net, line: str, said: str, status: int) -> None:
    output = net["h1"].cmd(line)
    assert (output, output.status) == (said + "\n", status)


def test_sockets(net, ip) -> None:
    server, client = net["h2"].host, net["h1"].host
    server.tcp.listen(80, lambda _: None, backlog=5)
    assert net["h2"].cmd("ss -tln") == (
        "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
        "LISTEN 0      5                  *:80              *:*\n"
    )
    from sdnvirt.commands.command import address

    connection = client.tcp.connect(address(ip.h2), 80, local_port=50000)
    net.run_for("1s")
    bracketed = "{}" if ip.is_v4 else "[{}]"
    local, remote = bracketed.format(ip.h1) + ":50000", bracketed.format(ip.h2) + ":80"
    (line,) = net["h1"].cmd("ss -tnH").splitlines()
    assert line.split() == ["ESTAB", "0", "0", local, remote]
    assert net["h1"].cmd(f"ss -tH {'-6' if ip.is_v4 else '-4'}") == ""
    details = net["h1"].cmd("ss -tniH").splitlines()[1]
    assert re.fullmatch(r"\t \w+ rto:\d+ rtt:[\d.]+/[\d.]+ mss:\d+ pmtu:1500 cwnd:10", details), (
        details
    )
    net.set_link("h1--s1", False)
    connection.write(b"x" * 100)
    net.run_for("10ms")
    assert net["h1"].cmd("ss -tnH").split()[2] == "100"
    assert " unacked:1" in net["h1"].cmd("ss -tniH")


def test_sockets_of_udp(net) -> None:
    from sdnvirt.host.udp import UdpSocket

    UdpSocket(net["h1"].host, 53, lambda *_: None)
    assert net["h1"].cmd("ss -uanH").split() == ["UNCONN", "0", "0", "*:53", "*:*"]
    assert net["h1"].cmd("ss -anH").split()[0] == "udp"
    assert net["h1"].cmd("ss -unH") == ""


def test_orders_may_be_cut_short(net) -> None:
    host = net["h1"]
    assert host.cmd("ip a s") == host.cmd("ip addr show")
    assert host.cmd("ip r sh") == host.cmd("ip route show")
    assert host.cmd("ip a a 10.0.0.50/24 dev s1").status == 0
    assert "10.0.0.50/24" in host.cmd("ip -4 a li")
    assert host.cmd("ip r g 10.0.0.2").startswith("10.0.0.2 dev s1 src 10.0.0.1")
    assert host.cmd("ip a d 10.0.0.50/24 dev s1").status == 0
    assert "10.0.0.50/24" not in host.cmd("ip a s")


@pytest.mark.parametrize("one", ["224.0.0.5/24", "0.0.0.0/0", "255.255.255.255/32", "ff02::5/64"])
def test_an_address_of_nobody_or_many_is_no_hosts(net, one: str) -> None:
    output = net["h1"].cmd(f"ip addr add {one} dev s1")
    assert (output, output.status) == ("RTNETLINK answers: Cannot assign requested address\n", 2)
    assert one not in net["h1"].cmd("ip addr")
