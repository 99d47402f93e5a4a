"""Which address a host sends from and tries first: the examples of RFC 6724, section 10."""

from __future__ import annotations

import pytest

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.host.addressing import AddressState, InterfaceAddress
from sdnvirt.host.selection import order_destinations, select_source


def addresses(*texts: str) -> list[InterfaceAddress]:
    return [
        InterfaceAddress(Ipv6(text) if ":" in text else Ipv4(text), 64 if ":" in text else 24)
        for text in texts
    ]


@pytest.mark.parametrize(
    ("dst", "candidates", "chosen"),
    [
        # RFC 6724, 10.1
        ("2001:db8:1::1", ("2001:db8:3::1", "fe80::1"), "2001:db8:3::1"),
        ("ff05::1", ("2001:db8:3::1", "fe80::1"), "2001:db8:3::1"),
        ("2001:db8:1::1", ("2001:db8:1::1", "2001:db8:2::1"), "2001:db8:1::1"),
        ("fe80::1", ("fe80::2", "2001:db8:1::1"), "fe80::2"),
        ("2001:db8:1::1", ("2001:db8:1::2", "2001:db8:3::2"), "2001:db8:1::2"),
        ("2002:c633:6401::1", ("2002:c633:6401::d5e3:7953:13eb:22e8", "2001:db8:1::2"),
         "2002:c633:6401:0:d5e3:7953:13eb:22e8"),
        # of IPv4, by the same rules
        ("10.0.1.9", ("10.0.0.1", "10.0.1.1"), "10.0.1.1"),
        ("192.0.2.1", ("169.254.0.1", "10.0.0.1"), "10.0.0.1"),
        ("10.0.0.9", ("2001:db8::1", "10.0.0.1"), "10.0.0.1"),
    ],
)  # fmt: skip
def test_the_source(dst, candidates, chosen) -> None:
    for order in (candidates, tuple(reversed(candidates))):
        found = select_source(Ipv6(dst) if ":" in dst else Ipv4(dst), addresses(*order))
        assert found is not None
        assert str(found.address) == chosen


def test_a_deprecated_address_is_the_last_resort_and_others_none() -> None:
    old, new, tentative, duplicate = addresses("2001:db8::1", "2001:db8:9::1", "2001:db8::2", "::9")
    old.state, tentative.state = AddressState.DEPRECATED, AddressState.TENTATIVE
    duplicate.state = AddressState.DUPLICATE
    dst = Ipv6("2001:db8::5")
    assert select_source(dst, [old, new, tentative, duplicate]) is new
    assert select_source(dst, [old, tentative, duplicate]) is old
    assert select_source(dst, [tentative, duplicate]) is None


@pytest.mark.parametrize(
    ("pairs", "order"),
    [
        # RFC 6724, 10.2
        ([("2001:db8:1::1", "2001:db8:1::2"), ("198.51.100.121", "169.254.13.78")],
         ["2001:db8:1::1", "198.51.100.121"]),
        ([("2001:db8:1::1", "fe80::1"), ("198.51.100.121", "198.51.100.117")],
         ["198.51.100.121", "2001:db8:1::1"]),
        ([("2001:db8:1::1", "2001:db8:1::2"), ("10.1.2.3", "10.1.2.4")],
         ["2001:db8:1::1", "10.1.2.3"]),
        ([("2001:db8:1::1", "2001:db8:1::2"), ("fe80::1", "fe80::2")],
         ["fe80::1", "2001:db8:1::1"]),
        ([("2001:db8:3::1", "2001:db8:1::9"), ("2001:db8:1::1", "2001:db8:1::9")],
         ["2001:db8:1::1", "2001:db8:3::1"]),
        ([("2001:db8::1", None), ("10.0.0.1", "10.0.0.2")], ["10.0.0.1", "2001:db8::1"]),
        ([("10.0.0.2", "10.0.0.9"), ("10.0.0.1", "10.0.0.9")], ["10.0.0.2", "10.0.0.1"]),
    ],
)  # fmt: skip
def test_the_order_of_destinations(pairs, order) -> None:
    def address(text):
        return None if text is None else Ipv6(text) if ":" in text else Ipv4(text)

    found = order_destinations([(address(dst), address(src)) for dst, src in pairs])
    assert list(map(str, found)) == order
