"""The fast conversion of addresses answers as Ryu's own does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.control.mac_conversion import bin_to_text, text_to_bin
from sdnvirt.control.stock_ryu import addrconv

BIN, TEXT = addrconv.mac.text_to_bin, addrconv.mac.bin_to_text
to_bin, to_text = text_to_bin(BIN), bin_to_text(TEXT)


def outcome(function: Any, argument: Any) -> Any:
    try:
        return function(argument)
    except Exception as error:
        return type(error)


@given(st.binary(min_size=6, max_size=6))
@settings(max_examples=50)
def test_every_address_in_canonical_spelling(address: bytes) -> None:
    assert to_text(address) == TEXT(address)
    assert to_bin(TEXT(address)) == address
    assert to_bin(TEXT(address).upper()) == address


@given(st.text("0123456789abcdefABCDEF:-. ", min_size=0, max_size=18))
@settings(max_examples=100)
def test_every_other_spelling(text: str) -> None:
    assert outcome(to_bin, text) == outcome(BIN, text)


@pytest.mark.parametrize(
    "text",
    [
        "0:1:2:3:4:5",
        "00-11-22-33-44-55",
        "0011.2233.4455",
        "00:11:22:33:44:5g",
        "00:  :22:33:44:55",
        "",
        7,
    ],
)
def test_unusual_spellings(text: Any) -> None:
    assert outcome(to_bin, text) == outcome(BIN, text)


@pytest.mark.parametrize("binary", [b"", bytes(5), bytes(7), bytearray(6), "text", None])
def test_unusual_bytes(binary: Any) -> None:
    assert outcome(to_text, binary) == outcome(TEXT, binary)
