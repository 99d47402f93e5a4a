"""``ip route``: the routes, and by which of them a destination is reached."""

from __future__ import annotations

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6
from sdnvirt.commands.command import Failure, Surroundings
from sdnvirt.commands.ip.objects import (
    Asked,
    Words,
    address_of,
    interface_of,
    prefix,
    refused,
)
from sdnvirt.host.addressing import Origin
from sdnvirt.host.nd import IPV6_GROUPS
from sdnvirt.host.paths import LocalPath, Path
from sdnvirt.host.routes import Route
from sdnvirt.units import NS_PER_S


def route(words: Words, asked: Asked, at: Surroundings) -> None:
    """Show routes, add one, take one away, or tell the way to a destination."""
    family = asked.family or Ipv4
    if words.order("get"):
        _get(words, at)
    elif words.order("add"):
        _change(words, family, at, add=True)
    elif words.order("del", "delete"):
        _change(words, family, at, add=False)
    else:
        words.order("show", "list", "ls")
        wanted = interface_of(at, words.value("dev")) if words.take("dev") else None
        words.end()
        for one in sorted(at.host.routes, key=_order):
            shown = one.family is family and wanted in (None, one.interface)
            if shown and one.network != IPV6_GROUPS:  # which Linux keeps in another table
                at.out.line(_describe(one))


def _order(one: Route) -> tuple[bool, int, int]:
    """Return what sorts routes as the kernel tells them: the default first, then by prefix."""
    return (one.length > 0, one.bits << 128 - one.length, one.length)


def _describe(one: Route) -> str:
    words = [str(one.network) if one.length else "default"]
    if one.length == 8 * (4 if one.family is Ipv4 else 16):
        words = [str(one.network.network_address)]
    if one.gateway is not None:
        words += ["via", str(one.gateway)]
    words += ["dev", one.interface.name]
    kernel = one.gateway is None and any(
        given.network == one.network
        for given in one.interface.addresses.values()
        if given.origin is not Origin.ADVERTISED
    )
    if kernel:
        words += ["proto", "kernel"]
    elif one.family is Ipv6 and one.metric > 0:
        words += ["proto", "ra"]
    if one.family is Ipv4 and one.gateway is None:
        words += ["scope", "link"]
    if kernel and one.family is Ipv4:
        words += ["src", str(_source(one))]
    if one.metric > 0:
        words += ["metric", str(one.metric)]
    elif one.family is Ipv6:
        words += ["metric", "256" if kernel else "1024"]
    return " ".join([*words, "pref", "medium"] if one.family is Ipv6 else words)


def _source(one: Route) -> IpAddress:
    owners = one.interface.addresses.values()
    return next(given.address for given in owners if given.network == one.network)


def _get(words: Words, at: Surroundings) -> None:
    words.take("to")
    dst = address_of(words.value("address"))
    source = address_of(words.value("from")) if words.take("from") else None
    interface = interface_of(at, words.value("dev")) if words.take("dev", "oif") else None
    words.end()
    path = at.host.ip.path(dst, source, interface)
    if not isinstance(path, Path):
        raise refused("Network is unreachable")
    local = isinstance(path, LocalPath)
    text = [*(["local"] if local else []), str(dst)]
    if isinstance(dst, Ipv6):
        text += ["from", "::"]
    if path.next_hop != dst:
        text += ["via", str(path.next_hop)]
    text += ["dev", path.interface.name, "src", str(path.src)]
    at.out.line(" ".join([*text, "uid 0"] if isinstance(dst, Ipv4) else text))
    if isinstance(dst, Ipv4):
        at.out.line(f"    cache{' <local>' if local else _learned(path, at)}")


def _learned(path: Path, at: Surroundings) -> str:
    """Return the path MTU, if less than that of the interface is known to get through."""
    if path.mtu >= path.interface.mtu:
        return ""
    left_ns = at.host.ip.path_mtus.left_ns(path.dst, at.now)
    return f" expires {left_ns // NS_PER_S}sec mtu {path.mtu}"


def _change(words: Words, family: type[IpAddress], at: Surroundings, *, add: bool) -> None:
    network = prefix(words.value("address"), family)
    gateway = address_of(words.value("via")) if words.take("via") else None
    interface = interface_of(at, words.value("dev")) if words.take("dev") else None
    metric = 0
    if words.take("metric"):
        metric = _number(words.value("metric"))
    words.end()
    if network.prefixlen == 0 and isinstance(gateway, Ipv6):
        network = prefix("default", Ipv6)
    if gateway is not None and (isinstance(gateway, Ipv4)) != (network.version == 4):
        raise Failure("Error: inet prefix and gateway of different families.", 1)
    ip = at.host.ip
    known = [
        one
        for one in ip.routes
        if one.network == network
        and gateway in (None, one.gateway)
        and interface in (None, one.interface)
    ]
    if add and interface is not None and not interface.admin_up:
        raise Failure("Error: Device for nexthop is not up.", 2)
    if not add:
        if not known:
            raise refused("No such process")
        ip.remove_routes(network, gateway or known[0].gateway)
        return
    if gateway is None and interface is None:
        raise refused("No such device")
    if any(one.metric == metric for one in ip.routes if one.network == network):
        raise refused("File exists")
    if gateway is not None and not _on_link(gateway, at):
        raise Failure("Error: Nexthop has invalid gateway.", 2)
    if not ip.add_route(network, gateway, interface, metric):
        raise refused("No buffer space available")


def _on_link(gateway: IpAddress, at: Surroundings) -> bool:
    found = at.host.ip.routes.lookup(gateway)
    return found is not None and found.gateway is None and found.length > 0


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) > 0xFFFFFFFF:
        raise Failure(f'Error: argument "{text}" is wrong: "metric" value is invalid', 255)
    return int(text)
