"""The fast conversion of match fields answers as Ryu's own does, in every version."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.control.oxm_conversion import conversions
from sdnvirt.control.stock_ryu import ofproto_protocol, type_desc

VERSIONS = [
    module for module, _ in ofproto_protocol._versions.values() if hasattr(module, "oxm_types")
]
FAST = {module.__name__: conversions(module, type_desc) for module in VERSIONS}
NAMES = sorted(FAST["ryu.ofproto.ofproto_v1_3"])

VALUES = st.one_of(
    st.integers(-2, 300),
    st.integers(-1, 1 << 129),
    st.booleans(),
    st.none(),
    st.floats(),
    st.binary(max_size=17),
    st.binary(min_size=6, max_size=6).map(lambda address: address.hex(":")),
    st.binary(min_size=6, max_size=6).map(lambda address: address.hex(":").upper()),
    st.text("0123456789abcdefABCDEF:-. /", max_size=18),
    st.ip_addresses().map(str),
    st.sampled_from(["10.0.0.0/8", "10.1", "0:1:2:3:4:5", "0011.2233.4455", "00:  :22:33:44:55"]),
)


@st.composite
def named(draw: Any) -> tuple[Any, str]:
    """Return a version and the name of a field, mostly one of its own."""
    version = draw(st.sampled_from(VERSIONS))
    own = st.sampled_from([field.name for field in version.oxm_types])
    return version, draw(st.one_of(own, own, st.sampled_from(["no_such_field", "field_7", 7, ()])))


@st.composite
def numbered(draw: Any) -> tuple[Any, Any, int]:
    """Return a version, the number of a field and its size, mostly of one of its own."""
    version = draw(st.sampled_from(VERSIONS))
    field = draw(st.sampled_from(version.oxm_types))
    return version, draw(st.sampled_from([field.num, field.num, 99, None])), field.type.size


def outcome(function: Any, *arguments: Any) -> Any:
    """Return what a function returns, with its type, or the type of what it raises."""
    try:
        result = function(*arguments)
    except Exception as error:
        return type(error)
    return result, repr(result)


def both(version: Any, name: str, *arguments: Any) -> tuple[Any, Any]:
    """Return the outcomes of our function and of Ryu's."""
    fast = FAST[version.__name__][name]
    return outcome(fast, *arguments), outcome(getattr(version, name), *arguments)


@given(named(), st.one_of(VALUES, st.tuples(VALUES, VALUES)))
@settings(max_examples=400)
@pytest.mark.parametrize("function", ["oxm_from_user", "oxm_normalize_user"])
def test_what_apps_write(function: str, field: tuple[Any, str], value: Any) -> None:
    version, name = field
    ours, ryu = both(version, function, name, value)
    assert ours == ryu


@given(numbered(), st.data())
@settings(max_examples=300)
def test_what_apps_read(field: tuple[Any, Any, int], data: Any) -> None:
    version, number, size = field
    payload = st.one_of(st.binary(min_size=size, max_size=size), st.binary(max_size=20), st.none())
    value, mask = data.draw(payload), data.draw(st.one_of(st.none(), payload))
    ours, ryu = both(version, "oxm_to_user", number, value, mask)
    assert ours == ryu


@given(numbered(), st.data())
@settings(max_examples=300)
def test_what_is_sent(field: tuple[Any, Any, int], data: Any) -> None:
    version, number, size = field
    payload = st.one_of(st.binary(min_size=size, max_size=size), st.binary(max_size=20))
    value, mask = data.draw(payload), data.draw(st.one_of(st.none(), payload))
    before = data.draw(st.binary(max_size=40))
    offset = data.draw(st.sampled_from([0, len(before), len(before) + 4, len(before) // 2]))
    results = []
    for function in (FAST[version.__name__]["oxm_serialize"], version.oxm_serialize):
        buffer = bytearray(before)
        results.append((outcome(function, number, value, mask, buffer, offset), buffer))
    assert results[0] == results[1]


@given(numbered(), st.data())
@settings(max_examples=300)
def test_what_is_received(field: tuple[Any, Any, int], data: Any) -> None:
    version, number, size = field
    number = number if isinstance(number, int) else 99
    masked = data.draw(st.booleans())
    stated = data.draw(st.sampled_from([size, size, 2 * size, 0, 3])) % 256
    header = (number << 9 | masked << 8 | stated).to_bytes(4, "big")
    before = data.draw(st.binary(max_size=5))
    wire = before + header + data.draw(st.binary(min_size=stated, max_size=stated + 8))
    wire = wire[: len(wire) - data.draw(st.sampled_from([0, 0, 1, 9]))]
    kind = data.draw(st.sampled_from([bytes, bytearray]))
    ours, ryu = both(version, "oxm_parse", kind(wire), len(before))
    assert ours == ryu


@pytest.mark.parametrize("version", VERSIONS, ids=lambda module: module.__name__[-4:])
def test_every_field_of_every_version_in_its_usual_form(version: Any) -> None:
    for field in version.oxm_types:
        value = "0e:11:22:33:44:ff" if field.type is type_desc.MacAddr else 1
        for function in ("oxm_from_user", "oxm_normalize_user"):
            ours, ryu = both(version, function, field.name, value)
            assert ours == ryu, field.name
        binary = bytes(range(field.type.size))
        ours, ryu = both(version, "oxm_to_user", field.num, binary, None)
        assert ours == ryu, field.name


def test_a_match_of_an_app_never_meets_the_functions_of_ryu(monkeypatch: Any) -> None:
    version = importlib.import_module("ryu.ofproto.ofproto_v1_3")

    def refuse(*_arguments: Any) -> None:
        raise AssertionError("the slow way")

    for name in NAMES:
        monkeypatch.setattr(version, name, refuse)
    fast = conversions(version, type_desc)
    assert fast["oxm_normalize_user"]("eth_src", "0E:00:00:00:00:01") == (
        "eth_src",
        "0e:00:00:00:00:01",
    )
    number, value, mask = fast["oxm_from_user"]("in_port", 7)
    wire = bytearray()
    assert fast["oxm_serialize"](number, value, mask, wire, 0) == len(wire) == 8
    assert fast["oxm_parse"](bytes(wire), 0) == (number, value, None, 8)
    assert fast["oxm_to_user"](number, value, None) == ("in_port", 7)
