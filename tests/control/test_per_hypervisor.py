"""A controller for each hypervisor, at the hypervisor's own address."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from sdnvirt import topology
from sdnvirt.errors import ControllerError
from sdnvirt.session import open_network

NET = f"127.{os.getpid() // 256 % 127}.{os.getpid() % 256}"

TOPOLOGY = """
name: sites
underlay: {{routers: [r1], subnet: {subnet}}}
hypervisors: {{"hv[1-2]": {{attach: r1}}}}
"""


def load(tmp_path: Any, text: str) -> Any:
    file = tmp_path / "sites.yaml"
    file.write_text(text)
    return topology.load(file)


def test_each_switch_dials_its_own_address_from_there(tmp_path: Any) -> None:
    listeners = [socket.create_server((f"{NET}.1", 0))]
    port = listeners[0].getsockname()[1]
    listeners.append(socket.create_server((f"{NET}.2", port)))
    sites = load(tmp_path, TOPOLOGY.format(subnet=f"{NET}.0/24"))
    with open_network(sites, f"per-hypervisor:{port}") as network:
        network.run_for("20ms")
        for number, listener in enumerate(listeners, start=1):
            listener.settimeout(10)
            connection, (address, _) = listener.accept()
            assert address == f"{NET}.{number}"
            connection.close()
            with socket.create_connection((address, 6640), timeout=10):
                pass
            listener.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TOPOLOGY.format(subnet="172.16.0.0/24"), "the endpoint of hv1 is 172.16.0.1; expected an"),
        ("name: none\nhosts: {h1: {address: 10.0.0.1/24}}\n", "the topology has no hypervisors"),
    ],
)
def test_where_no_controller_can_be_is_told(tmp_path: Any, text: str, message: str) -> None:
    with pytest.raises(ControllerError) as caught:
        open_network(load(tmp_path, text), "per-hypervisor")
    assert message in str(caught.value)


def test_what_is_taken_is_told_and_nothing_is_left_listening(tmp_path: Any) -> None:
    sites = load(tmp_path, TOPOLOGY.format(subnet=f"{NET}.0/24"))
    with socket.create_server((f"{NET}.2", 6640)):
        with pytest.raises(ControllerError, match=f"cannot listen on ptcp:6640:{NET}.2"):
            open_network(sites, "per-hypervisor")
        socket.create_server((f"{NET}.1", 6640)).close()
