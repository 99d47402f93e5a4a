"""dhclient gives a lease back and obtains one, and tells of it."""

from __future__ import annotations

import re

import pytest


@pytest.mark.topology("topologies/quickstart.yaml")
def test_a_lease_goes_and_comes(network) -> None:
    vm = network[network.topology.vms[0].name]
    mac, name = vm.host.interface.mac, vm.host.interface.name
    before = str(vm.address)
    assert f"inet {before}/" in vm.cmd("ip addr")
    assert " dynamic " in vm.cmd("ip -4 addr")
    vm.cmd("ip neigh flush all")  # the last message needs the server's MAC address
    released = vm.cmd("dhclient -v -r")
    assert released.status == 0
    assert re.search(
        rf"^DHCPRELEASE of {before} on {name} to [\d.]+ port 67$", released, re.MULTILINE
    )
    assert vm.address is None
    lines = vm.cmd(f"dhclient -v {name}", limit="2min").splitlines()
    assert lines[:2] == [f"Listening on LPF/{name}/{mac}", f"Sending on   LPF/{name}/{mac}"]
    for pattern, line in zip(
        (
            rf"DHCPDISCOVER on {name} to 255\.255\.255\.255 port 67",
            r"DHCPOFFER of ([\d.]+) from [\d.]+",
            rf"DHCPREQUEST for [\d.]+ on {name} to 255\.255\.255\.255 port 67",
            r"DHCPACK of ([\d.]+) from [\d.]+",
            r"bound to [\d.]+ -- renewal in \d+ seconds\.",
        ),
        lines[2:],
        strict=True,
    ):
        assert re.fullmatch(pattern, line), line
    assert f"bound to {vm.address} " in lines[-1]
    again = vm.cmd("dhclient")
    assert (again, again.status) == ("", 0)


def test_no_server(net) -> None:
    began = net.now
    output = net["h1"].cmd("dhclient -v")
    assert output.count("DHCPDISCOVER on s1 to 255.255.255.255 port 67\n") > 3
    assert output.endswith("\nNo DHCPOFFERS received.\n")
    assert output.status == 2
    assert net.now - began == 60 * 10**9
    assert net["h1"].cmd("dhclient eth9") == 'Cannot find device "eth9"\n'
