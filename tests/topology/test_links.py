"""Links of a resolved topology: names, ports, qualities and VLANs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdnvirt.devices.disciplines import CoDel, Red, StrictPriority, TokenBucket
from sdnvirt.devices.jitter import NormalJitter, TableJitter, UniformJitter
from sdnvirt.devices.link import LinkParameters
from sdnvirt.devices.loss import GilbertElliott
from sdnvirt.devices.vlan import Access, Trunk
from sdnvirt.topology import loads
from sdnvirt.topology.events import ChangeLink
from sdnvirt.topology.resolved import Endpoint


def test_ports_count_in_the_order_of_the_links() -> None:
    loaded = loads(
        "name: x\nswitches: {s[1-2]: {kind: openflow}}\nhosts: {h1: {address: 10.0.0.1/24}}\n"
        "links: [{between: [s1, s2]}, {between: [h1, s1]}, {between: [s2, s1]}]\n"
    )
    assert [(link.a, link.b) for link in loaded.links] == [
        (Endpoint("s1", 1), Endpoint("s2", 1)),
        (Endpoint("h1", 1), Endpoint("s1", 2)),
        (Endpoint("s2", 2), Endpoint("s1", 3)),
    ]
    assert [switch.ports for switch in loaded.switches] == [3, 2]


def test_links_are_found_by_either_order_of_their_nodes() -> None:
    loaded = loads(
        "name: x\nswitches: {s[1-2]: {kind: openflow}}\n"
        "links: [{between: [s1, s2]}, {between: [s2, s1]}, {between: [s1, s2]}]\n"
    )
    assert [link.name for link in loaded.links] == ["s1--s2", "s2--s1#2", "s1--s2#3"]
    assert loaded.link("s2--s1") is loaded.links[0]
    assert loaded.link("s1--s2#2") is loaded.links[1]
    with pytest.raises(KeyError):
        loaded.link("s1--s2#4")
    assert loaded.graph().edges["s1", "s2"]["links"] == loaded.links


def test_ends_of_a_link() -> None:
    (link,) = loads(
        "name: x\nswitches: {s[1-2]: {kind: openflow}}\nlinks: [{between: [s1, s2]}]"
    ).links
    assert (link.end("s2"), link.peer("s2")) == (Endpoint("s2", 1), Endpoint("s1", 1))
    with pytest.raises(KeyError):
        link.peer("s3")


def test_link_quality_defaults_and_what_the_file_gives() -> None:
    loaded = loads(
        "name: x\nswitches: {s[1-2]: {kind: openflow}}\nlinks:\n- {between: [s1, s2]}\n"
        "- {between: [s1, s2], rate: 100Mbit/s, delay: 2ms, loss: 1%, queue: 64kB, mtu: 9000}\n"
    )
    assert [link.params for link in loaded.links] == [
        LinkParameters(None, 1_000, 512 * 1024, 1500, 0.0),
        LinkParameters(100_000_000, 2_000_000, 64_000, 9000, 0.01),
    ]


QUALITIES = {
    "loss: 1%": {"loss": 0.01},
    "loss: {to_bad: 1%, to_good: 50%}": {"loss": GilbertElliott(0.01, 0.5, 1.0, 0.0)},
    "loss: {to_bad: 1%, to_good: 50%, in_bad: 90%, in_good: 2%}": {
        "loss": GilbertElliott(0.01, 0.5, 0.9, 0.02)
    },
    "jitter: 1ms": {"jitter": NormalJitter(True, 1_000_000)},
    "jitter: 0": {},
    "jitter: {normal: 1ms, keep_order: false}": {"jitter": NormalJitter(False, 1_000_000)},
    "jitter: {uniform: 2us}": {"jitter": UniformJitter(True, 2_000)},
    "jitter: {table: [-1us, 0, 3us]}": {"jitter": TableJitter(True, (-1_000, 0, 3_000))},
    "reorder: 2%, duplicate: 3%, corrupt: 4%": {
        "reorder": 0.02, "duplicate": 0.03, "corrupt": 0.04,
    },
    "discipline: tail_drop": {},
    "discipline: {tail_drop: true}": {},
    "discipline: priority": {"discipline": StrictPriority()},
    "discipline: codel": {"discipline": CoDel()},
    "discipline: {codel: {target: 1ms, interval: 9ms, ecn: true}}": {
        "discipline": CoDel(1_000_000, 9_000_000, True)
    },
    "discipline: red": {"discipline": Red()},
    "discipline: {red: {min: 1kB, max: 2kB, probability: 5%, ecn: true}}": {
        "discipline": Red(1_000, 2_000, 0.05, True)
    },
    "discipline: {token_bucket: {rate: 1Mbit/s, burst: 2kB}}": {
        "discipline": TokenBucket(1_000_000, 2_000)
    },
}  # fmt: skip


@pytest.mark.parametrize("text", QUALITIES)
def test_qualities_of_both_directions_of_one_and_of_a_change(text: str) -> None:
    loaded = loads(
        "name: x\nswitches: {s[1-2]: {kind: openflow}}\nlinks:\n"
        f"- {{between: [s1, s2], {text}}}\n"
        f"- {{between: [s1, s2], mtu: 99, back: {{{text}}}}}\n"
        f"timeline: [{{at: 1s, change: {{link: s1--s2, {text}}}}}]\n"
    )
    given = QUALITIES[text]
    plain = LinkParameters(delay_ns=1_000)
    both, one = loaded.links
    assert (both.params, both.back) == (replace(plain, **given), None)
    assert (one.params, one.back) == (replace(plain, mtu=99), replace(plain, mtu=99, **given))
    (change,) = loaded.timeline
    assert isinstance(change, ChangeLink)
    assert replace(plain, **dict(change.changes)) == replace(plain, **given)


def test_routers_written_out_have_links_like_the_underlays() -> None:
    loaded = loads(
        "name: x\nunderlay: {routers: ['r[1-3]'], link: {delay: 7us}}\n"
        "links: [{between: [r1, r2]}, {between: [r2, r3], mtu: 2000}]\n"
    )
    assert [router.name for router in loaded.routers] == ["r1", "r2", "r3"]
    assert [(link.params.delay_ns, link.params.mtu) for link in loaded.links] == [
        (7_000, 1600),
        (7_000, 2000),
    ]


def test_bridge_ports_have_vlans() -> None:
    loaded = loads(
        "name: x\nswitches: {b[1-2]: {kind: bridge, ageing: 10s}}\n"
        "hosts: {h[1-2]: {address: '10.0.0.[1-2]/24'}}\nlinks:\n"
        "- {between: [h1, b1]}\n- {between: [h2, b2], vlan: 10}\n"
        "- {between: [b1, b2], trunk: [20, 10], native: 5}\n"
    )
    trunk = Trunk(frozenset({5, 10, 20}), native=5)
    assert [switch.vlans for switch in loaded.switches] == [
        (Access(1), trunk),
        (Access(10), trunk),
    ]
    assert loaded.switches[0].ageing_ns == 10_000_000_000


@pytest.mark.parametrize(
    ("written", "port"),
    [
        ("trunk: all", Trunk(None, None)),
        ("trunk: all, native: 1", Trunk(None, 1)),
        ("trunk: [1, 3-5]", Trunk(frozenset({1, 3, 4, 5}))),
        ("trunk: 7", Trunk(frozenset({7}))),
    ],
)
def test_trunks(written: str, port: Trunk) -> None:
    bridges = "name: x\nswitches: {b[1-2]: {kind: bridge}}\n"
    (link,) = loads(bridges + f"links: [{{between: [b1, b2], {written}}}]").links
    assert link.vlan == port


def test_two_cables_between_bridges_are_no_loop_in_different_vlans() -> None:
    loaded = loads(
        "name: x\nswitches: {b[1-2]: {kind: bridge}}\n"
        "links: [{between: [b1, b2], trunk: [10]}, {between: [b1, b2], trunk: [20]}]\n"
    )
    assert len(loaded.links) == 2
