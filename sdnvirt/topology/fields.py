"""The types of single values in a topology file, strict, and told to users in their own words.

Each is the Python type that the rest of the code computes with, made from what stands in the file
by a validator, and described for JSON schema. A value that does not fit raises the pydantic error
type ``expected`` whose context holds the noun phrase of the message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network
from typing import Annotated, Any, Final

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from sdnvirt import units
from sdnvirt.addresses import VLAN_MAX, VNI_MAX, Ipv4, Mac
from sdnvirt.errors import MalformedError
from sdnvirt.host.ping import MAX_COUNT, MAX_SIZE
from sdnvirt.topology.names import (
    MAX_NODES,
    NAME_EXPECTED,
    NAME_MAX,
    NAME_PATTERN,
    NAMES_EXPECTED,
    RangeError,
    expand,
    expand_names,
    is_name,
)
from sdnvirt.topology.resolved import MAX_SEED

MIN_PREFIX: Final = 8
"""The shortest prefix of a subnet: no larger one is in private use (RFC 1918)."""

MAX_PREFIX: Final = 29
"""The longest prefix of a subnet: room for a gateway, a DHCP server and four VMs."""

MTU_MIN: Final = 68
"""Every IPv4 link must carry this much (RFC 791, section 3.2)."""

MTU_MAX: Final = 65_535
"""The largest IPv4 packet (RFC 791, section 3.1)."""

MAX_TIME_NS: Final = 1_000_000 * 3600 * units.NS_PER_S
"""The longest time, 114 years: sums of four still fit the 64 bits of a pcapng timestamp."""

QUEUE_ID_MAX: Final = 0xFFFF_FFFE
"""The highest number of a queue; the one above stands for all of them (OpenFlow 1.3.5, 7.3.5.8)."""

MAX_PODS: Final = 32
"""Pods of a fat tree: 32 make 1,280 switches and 8,192 places for hosts."""

_QUANTITY: Final = r"^[0-9]+(\.[0-9]+)? ?"
RANGE_PATTERN: Final = r"^[a-z][a-z0-9-]*(\[[0-9]+-[0-9]+\][a-z0-9-]*)?$"
_OPTION: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
TEXT_MAX: Final = 400
"""Characters of a free text: a sentence or two, printed by reports on a few lines."""


def wrong(expected: str, names: tuple[str, ...] = ()) -> PydanticCustomError:
    """Return the error that says what was expected in place of a value."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected, "names": names})


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """Pydantic metadata of a type whose values are single scalars (or short lists) of the file.

    Attributes:
        parse: from the file's value to ours; raises ValueError or MalformedError.
        expected: noun phrase of the message.
        title: short name of the type, for the reference.
        schema: what its JSON schema says beyond title and description.
    """

    parse: Callable[[Any], Any]
    expected: str
    title: str
    schema: Mapping[str, Any]
    names: tuple[str, ...] = ()

    def __call__(self, value: Any) -> Any:
        try:
            return self.parse(value)
        except PydanticCustomError:
            raise
        except RangeError as error:
            raise wrong(str(error)) from None
        except (ValueError, MalformedError):
            raise wrong(self.expected, self.names) from None

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        described = {"title": self.title, "description": f"Expected: {self.expected}."}
        return {**described, **self.schema}


def as_text(value: Any) -> str:
    """Return a value that is text; anything else is a ValueError."""
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _sentence(value: Any) -> str:
    if len(as_text(value)) > TEXT_MAX or not value.isprintable():
        raise ValueError(value)
    return as_text(value)


def _matching(fits: Callable[[str], bool]) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if not fits(as_text(value)):
            raise ValueError(value)
        return as_text(value)

    return parse


def _on(value: Any) -> bool:
    if value is not True:
        raise ValueError(value)
    return True


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _pods(value: Any) -> int:
    if type(value) is not int or not 2 <= value <= MAX_PODS or value % 2:
        raise ValueError(value)
    return value


# Large files say the same few rates, sizes and times at every link.
_parse_time: Final = lru_cache(maxsize=1024)(units.parse_time)
_parse_rate: Final = lru_cache(maxsize=1024)(units.parse_rate)
_parse_size: Final = lru_cache(maxsize=1024)(units.parse_size)


def _time(text: str) -> int:
    time_ns = _parse_time(as_text(text))
    if time_ns > MAX_TIME_NS:
        raise wrong(f"a time of at most {units.format_time(MAX_TIME_NS)}")
    return time_ns


def _signed_time(value: Any) -> int:
    if value == 0 and type(value) is int:
        return 0
    unsigned = as_text(value).removeprefix("-")
    return -_time(unsigned) if unsigned != value else _time(unsigned)


def _probability(value: Any) -> float:
    # an unquoted 0.01 is text in a file, but a float in a dict
    return units.parse_probability(repr(value) if isinstance(value, float) else as_text(value))


def _quantity(parse: Callable[[Any], Any], zero: Any) -> Callable[[Any], Any]:
    def quantity(value: Any) -> Any:
        if value == 0 and type(value) is int:
            return zero  # the one number that needs no unit
        return parse(value)

    return quantity


def _positive(value: int) -> int:
    if value <= 0:
        raise ValueError(value)
    return value


def _whole(low: int, high: int, what: str, title: str) -> Leaf:
    def parse(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(value)
        return value

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Leaf(parse, f"{what}, an integer from {low} to {high}", title, schema)


def _choice(*values: str) -> Leaf:
    return Leaf(
        _matching(values.__contains__),
        " or ".join(values),
        " or ".join(values),
        {"type": "string", "enum": list(values)},
        values,
    )


def each(parse: Callable[[str], Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what parses each of the texts that a range stands for."""

    def parse_all(value: Any) -> tuple[Any, ...]:
        return tuple(map(parse, expand(as_text(value))))

    return parse_all


def _unicast_mac(text: str) -> Mac:
    mac = Mac(text)
    if mac.is_group or not any(mac):
        raise ValueError(text)
    return mac


def _subnet(value: Any) -> IPv4Network:
    network = IPv4Network(as_text(value))
    if "/" not in value or not MIN_PREFIX <= network.prefixlen <= MAX_PREFIX:
        raise ValueError(value)
    if network.is_multicast or network.network_address.is_unspecified:
        raise ValueError(value)
    return network


def _trunk(value: Any) -> tuple[int, ...] | str:
    if value == "all":
        return "all"
    vlans: set[int] = set()
    for item in value if isinstance(value, list) else [value]:
        low, _, high = str(item).partition("-")
        if type(item) not in (int, str) or not (low + high).isdecimal():
            raise ValueError(value)
        vlans.update(range(int(low[:5]), int(high[:5] or low[:5]) + 1))
    if not vlans or not 1 <= min(vlans) <= max(vlans) <= VLAN_MAX:
        raise ValueError(value)
    return tuple(sorted(vlans))


def _pair(value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(value)
    return expand_names(as_text(value[0])), expand_names(as_text(value[1]))


def expand_ports(value: Any) -> tuple[str, ...]:
    """Return the names of ports that a text with at most one range stands for.

    Raises:
        ValueError: it is no name of a port; a RangeError says what is wrong with a range.
    """
    names, parallel, number = as_text(value).partition("#")
    if parallel and not _NUMBER.fullmatch(number):
        raise ValueError(value)
    return tuple(name + parallel + number for name in expand_names(names))


def _scalar(value: Any) -> bool | int | str:
    return value if isinstance(value, bool | int) else _sentence(value)


_ZERO: Final = {"type": ["string", "integer"], "minimum": 0, "maximum": 0}
_TIME_SCHEMA: Final = {"type": "string", "pattern": _QUANTITY + "(ns|us|µs|ms|s|min|h)$"}
_RATE_SCHEMA: Final = {"type": "string", "pattern": _QUANTITY + "[kMGT]?bit/s$"}
_SIZE_SCHEMA: Final = {"type": "string", "pattern": _QUANTITY + "([kMG]|[KMG]i)?B$"}
_STRING: Final = {"type": "string"}
_NAME_SCHEMA: Final = {"type": "string", "pattern": f"^{NAME_PATTERN}$", "maxLength": NAME_MAX}
_NAMES_SCHEMA: Final = {"type": "string", "pattern": RANGE_PATTERN}

Text = Annotated[str, Leaf(
    _sentence, f"text on one line of at most {TEXT_MAX} characters", "text", _STRING,
)]  # fmt: skip
Name = Annotated[str, Leaf(_matching(is_name), NAME_EXPECTED, "name", _NAME_SCHEMA)]
Names = Annotated[tuple[str, ...], Leaf(
    lambda value: expand_names(as_text(value)), NAMES_EXPECTED,
    "name or range", _NAMES_SCHEMA,
)]  # fmt: skip
NamesKey = Annotated[str, Leaf(
    _matching(lambda text: bool(expand_names(text))),
    NAMES_EXPECTED, "name or range", _NAMES_SCHEMA,
)]  # fmt: skip
NamesPair = Annotated[tuple[tuple[str, ...], tuple[str, ...]], Leaf(
    _pair, "a list of two names of nodes, such as [h1, s1]", "two names or ranges",
    {"type": "array", "minItems": 2, "maxItems": 2, "items": _NAMES_SCHEMA},
)]  # fmt: skip
Prefix = Annotated[str, Leaf(
    _matching(lambda text: len(text) <= 16 and is_name(text.removesuffix("-") + "1")),
    "the first letters of a name, at most 16, such as f-", "start of a name",
    {"type": "string", "maxLength": 16},
)]  # fmt: skip
NetworkName = Annotated[str, Leaf(
    _matching(lambda text: text.count("/") == 1 and all(map(is_name, text.split("/")))),
    "TENANT/NETWORK, such as acme/web", "tenant/network",
    {"type": "string", "pattern": f"^{NAME_PATTERN}/{NAME_PATTERN}$"},
)]  # fmt: skip
LinkName = Annotated[str, Leaf(
    _matching(lambda text: "--" in text), "the name of a link, NODE--NODE, such as leaf1--spine1",
    "link name", {"type": "string", "pattern": "^[a-z][a-z0-9-]*--[a-z][a-z0-9-]*(#[0-9]+)?$"},
)]  # fmt: skip
PortNames = Annotated[tuple[str, ...], Leaf(
    expand_ports, "the name of a port, which is that of the node at its other end, or, for "
    "several, h[1-4]; the second link to the same node is h1#2", "port name or range",
    {"type": "string", "pattern": RANGE_PATTERN.removesuffix("$") + "(#[0-9]+)?$"},
)]  # fmt: skip
OptionName = Annotated[str, Leaf(
    _matching(lambda text: bool(_OPTION.fullmatch(text))),
    "the name of an option of Ryu, such as observe-links", "option name",
    {"type": "string", "pattern": f"^{_OPTION.pattern}$"},
)]  # fmt: skip
OptionValue = Annotated[bool | int | str, Leaf(
    _scalar, "true, false, a number or text on one line", "true, false, number or text",
    {"type": ["boolean", "integer", "string"]},
)]  # fmt: skip
On = Annotated[bool, Leaf(_on, "true", "true", {"type": "boolean", "const": True})]
Flag = Annotated[bool, Leaf(
    _flag, "true or false", "true or false", {"type": "boolean"},
)]  # fmt: skip

Time = Annotated[int, Leaf(
    _quantity(_time, 0), "a time such as 5us (ns, us, ms, s, min or h)", "time",
    {**_TIME_SCHEMA, **_ZERO},
)]  # fmt: skip
SignedTime = Annotated[int, Leaf(
    _signed_time, "a time such as 5us or -5us (ns, us, ms, s, min or h)", "time, may be negative",
    {"type": ["string", "integer"], "minimum": 0, "maximum": 0},
)]  # fmt: skip
PositiveTime = Annotated[int, Leaf(
    lambda value: _positive(_time(as_text(value))),
    "a time above 0 such as 5us (ns, us, ms, s, min or h)", "time", _TIME_SCHEMA,
)]  # fmt: skip
Rate = Annotated[int, Leaf(
    lambda value: _positive(_parse_rate(as_text(value))),
    "a rate such as 10Gbit/s (bit/s, kbit/s, Mbit/s, Gbit/s or Tbit/s)", "rate", _RATE_SCHEMA,
)]  # fmt: skip
Size = Annotated[int, Leaf(
    _quantity(lambda value: _parse_size(as_text(value)), 0),
    "a size such as 512KiB (B, kB, MB, GB, KiB, MiB or GiB)", "size", {**_SIZE_SCHEMA, **_ZERO},
)]  # fmt: skip
PositiveSize = Annotated[int, Leaf(
    lambda value: _positive(_parse_size(as_text(value))),
    "a size above 0 such as 512KiB (B, kB, MB, GB, KiB, MiB or GiB)", "size", _SIZE_SCHEMA,
)]  # fmt: skip
Probability = Annotated[float, Leaf(
    _quantity(_probability, 0.0), "a share from 0% to 100%, such as 1% or 0.01", "share",
    {"type": ["string", "number"]},
)]  # fmt: skip

Vlan = Annotated[int, _whole(1, VLAN_MAX, "a VLAN", "VLAN")]
Trunk = Annotated[tuple[int, ...] | str, Leaf(
    _trunk, f"all, or a list of VLANs from 1 to {VLAN_MAX}, such as [10, 20-29]", "all or VLANs",
    {"type": ["string", "array"]},
)]  # fmt: skip
Vni = Annotated[int, _whole(1, VNI_MAX, "a VXLAN network identifier", "VNI")]
Mtu = Annotated[int, _whole(MTU_MIN, MTU_MAX, "an MTU in bytes", "bytes")]
QueueId = Annotated[int, _whole(0, QUEUE_ID_MAX, "a number of a queue", "queue id")]
Dpid = Annotated[int, _whole(1, (1 << 64) - 1, "a datapath id", "datapath id")]
Seed = Annotated[int, _whole(0, MAX_SEED, "a seed", "integer")]
Count = Annotated[int, _whole(1, MAX_COUNT, "a number of requests", "integer")]
PingSize = Annotated[int, _whole(0, MAX_SIZE, "bytes of echo data", "bytes")]

Subnet = Annotated[IPv4Network, Leaf(
    _subnet, f"an IPv4 network from /{MIN_PREFIX} to /{MAX_PREFIX} with no host bits, "
    "such as 10.0.0.0/24", "IPv4 network", _STRING,
)]  # fmt: skip
Address = Annotated[Ipv4, Leaf(
    lambda value: Ipv4(as_text(value)), "an IPv4 address such as 10.0.0.1", "IPv4 address", _STRING,
)]  # fmt: skip
Addresses = Annotated[tuple[Ipv4, ...], Leaf(
    each(Ipv4), "an IPv4 address such as 10.0.0.1 or, for several, 10.0.0.[1-4]",
    "IPv4 address or range", _STRING,
)]  # fmt: skip
Macs = Annotated[tuple[Mac, ...], Leaf(
    each(_unicast_mac), "a unicast MAC address such as 02:00:00:00:00:01 or, for several, "
    "02:00:00:00:00:[01-04]", "MAC address or range", _STRING,
)]  # fmt: skip
Kind = Annotated[str, _choice("bridge", "openflow")]
Discipline = Annotated[str, _choice("tail_drop", "red", "codel", "priority")]
ControllerFault = Annotated[str, _choice("kill", "restart", "stall", "resume")]
Fallback = Annotated[str, _choice("secure", "standalone")]
Expectation = Annotated[str, _choice("reachable", "unreachable")]

Small = Annotated[int, _whole(1, 64, "a number", "integer")]
Medium = Annotated[int, _whole(1, 1024, "a number", "integer")]
Many = Annotated[int, _whole(1, MAX_NODES, "a number", "integer")]
RingSize = Annotated[int, _whole(3, MAX_NODES, "a number of nodes in the ring", "integer")]
Pods = Annotated[int, Leaf(
    _pods, f"an even number of pods from 2 to {MAX_PODS}", "even integer",
    {"type": "integer", "minimum": 2, "maximum": MAX_PODS, "multipleOf": 2},
)]  # fmt: skip
