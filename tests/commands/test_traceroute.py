"""traceroute prints what Linux's prints."""

from __future__ import annotations

import re

import pytest

from sdnvirt.devices.rules import Drop
from sdnvirt.drops import DropReason


@pytest.mark.parametrize("option", ["", "-I "])
def test_the_way(net, ip, option: str) -> None:
    size = 60 if ip.is_v4 else 80
    net["h1"].cmd(f"ping -c 1 {ip.far}")
    head, first, second = net["h1"].cmd(f"traceroute {option}{ip.far}").splitlines()
    assert head == f"traceroute to {ip.far} ({ip.far}), 30 hops max, {size} byte packets"
    time = r"  \d+\.\d{3} ms"
    assert_like(first, rf" 1  {ip.router} \({ip.router}\){time}{time}{time}")
    assert_like(second, rf" 2  {ip.far} \({ip.far}\){time}{time}{time}")


def assert_like(text: str, pattern: str) -> None:
    assert re.fullmatch(pattern, text), text


def test_numbers_only(net, ip) -> None:
    output = net["h1"].cmd(f"traceroute -n -q 1 -f 2 {ip.far}")
    assert output.count(ip.far) == 3  # twice in the heading
    assert "\n 2  " in output


def test_nobody_answers(net, ip) -> None:
    """The host says itself that nobody has the address (as Linux does, after three seconds)."""
    output = net["h1"].cmd(f"traceroute -n -q 1 {ip.nobody}")
    assert_like(output.splitlines()[1], rf" 1  {ip.h1}  (2999|3000)\.\d{{3}} ms !H")


class Swallow:
    """Loses all."""

    def judge(self, _frame, _now):
        return Drop(DropReason.LINK_LOSS)


def test_silence(net, ip) -> None:
    net["h1"].cmd(f"ping -c 1 {ip.far}")
    link = net.link("far--s1")
    link.add_rule(link.ends[0], Swallow())
    began = net.now
    output = net["h1"].cmd(f"traceroute -n -m 3 -w 2 {ip.far}")
    assert output.splitlines()[2:] == [" 2  * * *", " 3  * * *"]
    assert net.now - began > 12 * 10**9


def test_no_way(net) -> None:
    net["h1"].cmd("ip route del default")
    output = net["h1"].cmd("traceroute 192.0.2.1")
    assert (output, output.status) == ("connect: Network is unreachable\n", 1)
