"""Addresses of controllers and listeners."""

from __future__ import annotations

import socket

import pytest

from sdnvirt.control.address import (
    ControllerAddress,
    ListeningAddress,
    is_outside,
    port_per_hypervisor,
)
from sdnvirt.errors import ControllerError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("tcp:127.0.0.1:6653", "127.0.0.1", 6653),
        ("tcp:127.0.0.1", "127.0.0.1", 6653),
        ("tcp:controller.example:1", "controller.example", 1),
        ("tcp:[::1]:6633", "::1", 6633),
        ("tcp:[fe80::1]", "fe80::1", 6653),
        ("ssl:host", "host", 6653),
    ],
)
def test_host_and_port(text: str, host: str, port: int) -> None:
    address = ControllerAddress.parse(text)
    assert address == (text[:3], host, port)
    assert address.secured == (text[:3] == "ssl")
    assert ControllerAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", "tcp", "tcp:", "tcp::1", "127.0.0.1:6653", "ptcp:h", "tcp:h:0", "tcp:h:65536",
             "tcp:h:x", "tcp:::1", "tcp:h:1:2", "tcp:[::1"]
)  # fmt: skip
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ControllerError) as caught:
        ControllerAddress.parse(text)
    assert str(caught.value).startswith(f"controller {text!r}: expected tcp:HOST[:PORT]")


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(ControllerError, match=r"^controller tcp:nobody\.invalid:6653: \w"):
        ControllerAddress.parse("tcp:nobody.invalid").resolve()


def test_ipv4_comes_first() -> None:
    assert ControllerAddress("tcp", "127.0.0.1", 6653).resolve() == (
        socket.AF_INET,
        ("127.0.0.1", 6653),
    )


@pytest.mark.parametrize(
    ("text", "port", "host"),
    [
        ("ptcp:", 6653, "127.0.0.1"),
        ("ptcp:0", 0, "127.0.0.1"),
        ("pssl:6634", 6634, "127.0.0.1"),
        ("ptcp:6634:0.0.0.0", 6634, "0.0.0.0"),
        ("ptcp::10.0.0.1", 6653, "10.0.0.1"),
        ("pssl:1:[::1]", 1, "::1"),
    ],
)
def test_listeners_are_on_loopback_unless_told_otherwise(text: str, port: int, host: str) -> None:
    address = ListeningAddress.parse(text)
    assert address == (text[:4], port, host)
    assert address.secured == (text[:4] == "pssl")
    assert ListeningAddress.parse(str(address)) == address


@pytest.mark.parametrize("text", ["", "ptcp", "tcp:1", "ptcp:host", "ptcp:65536", "ptcp:1:::1"])
def test_no_listener(text: str) -> None:
    with pytest.raises(ControllerError) as caught:
        ListeningAddress.parse(text)
    assert str(caught.value).startswith(f"listener {text!r}: expected ptcp:[PORT][:HOST]")


@pytest.mark.parametrize(
    ("text", "port"), [("per-hypervisor", 6653), ("per-hypervisor:7000", 7000)]
)
def test_controllers_of_hypervisors_have_a_port(text: str, port: int) -> None:
    assert port_per_hypervisor(text) == port
    assert is_outside(text)


@pytest.mark.parametrize(
    "text", ["per-hypervisor:", "per-hypervisor:0", "per-hypervisor:65536", "per-hypervisor:x"]
)
def test_another_port_of_theirs_is_refused(text: str) -> None:
    with pytest.raises(ControllerError, match=r"expected per-hypervisor\[:PORT\] with a port from"):
        port_per_hypervisor(text)


@pytest.mark.parametrize(
    "text", ["none", "topology", "per-hypervisor.py", "apps/tcp.py", "a:b.py", "./a:b"]
)
def test_apps_and_none_are_not_outside(text: str) -> None:
    assert not is_outside(text)


@pytest.mark.parametrize("text", ["udp:1.2.3.4", "127.0.0.1:6653", "[::1]:6653", "TCP:host", ":"])
def test_an_address_of_no_known_form_is_told_those_that_are(text: str) -> None:
    with pytest.raises(ControllerError) as caught:
        is_outside(text)
    assert str(caught.value) == (
        f"controller {text!r}: expected tcp:HOST[:PORT], ssl:HOST[:PORT], per-hypervisor[:PORT], "
        "or a Ryu app: a file such as ./app.py or a module such as ryu.app.simple_switch_13"
    )
