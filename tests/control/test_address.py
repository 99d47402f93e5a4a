"""Addresses of remote controllers."""

from __future__ import annotations

import socket

import pytest

from sdnvirt.control.address import ControllerAddress
from sdnvirt.errors import ControllerError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("tcp:127.0.0.1:6653", "127.0.0.1", 6653),
        ("tcp:127.0.0.1", "127.0.0.1", 6653),
        ("tcp:controller.example:1", "controller.example", 1),
        ("tcp:[::1]:6633", "::1", 6633),
        ("tcp:[fe80::1]", "fe80::1", 6653),
    ],
)
def test_host_and_port(text: str, host: str, port: int) -> None:
    address = ControllerAddress.parse(text)
    assert address == (host, port)
    assert ControllerAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", "tcp", "tcp:", "tcp::1", "127.0.0.1:6653", "ssl:host", "tcp:h:0", "tcp:h:65536",
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
    assert ControllerAddress("127.0.0.1").resolve() == (socket.AF_INET, ("127.0.0.1", 6653))
