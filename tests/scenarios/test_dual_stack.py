"""A topology file with hosts of both versions of IP, as people write it."""

from __future__ import annotations

import json

import pytest

from sdnvirt import load
from sdnvirt.addresses import Ipv6
from sdnvirt.errors import UserError

FILE = """\
name: dual
switches: {s1: {kind: bridge}}
hosts:
  h[1-2]:
    address: 10.0.0.[1-2]/24
    addresses: ["2001:db8::[1-2]/64", 10.1.0.[1-2]/16]
  h3: {address: 10.0.0.3/24, ipv6: true}
links: [{between: ["h[1-3]", s1]}]
timeline: []
checks:
  - {at: 3s, ping: {from: h1, to: "2001:db8::2"}}
  - {at: 3s, ping: {from: h1, to: 10.1.0.2}}
  - {at: 3s, ping: {from: h1, to: h2}}
  - {at: 3s, ping: {from: h3, to: "2001:db8::2"}, expect: unreachable}
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "dual.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_checks_of_the_file_hold_and_runs_are_alike(path, sdnvirt, capsys) -> None:
    digests = []
    for _ in range(2):
        assert sdnvirt("run", path, "--json", "-") == 0
        report = json.loads(capsys.readouterr().out)
        assert [check["held"] for check in report["checks"]] == [True] * 4
        digests.append(report["digest"])
    assert digests[0] == digests[1]


def test_a_node_pings_over_ipv6(path) -> None:
    with load(path) as network:
        network.run_for("3s")
        assert network["h1"].ping("2001:db8::2").received == 3
        assert network["h1"].ping(Ipv6("2001:db8::2")).received == 3
        with pytest.raises(UserError, match="'2001::x' is not an IPv6 address"):
            network["h1"].ping("2001::x")
