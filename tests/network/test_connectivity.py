"""Connectivity checks: who reaches whom, held against the network as it is."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.addresses import Ipv4
from sdnvirt.devices.rules import Drop, Pass, Verdict
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.network.checks import CheckResult, Checks
from sdnvirt.network.connectivity import Connectivity, Reached, questions, sample_size
from sdnvirt.network.network import Network
from sdnvirt.topology.checks import Segment
from sdnvirt.units import NS_PER_S

CHAIN = """
    name: chain
    switches:
      b[1-2]: {kind: bridge}
    hosts:
      h[1-4]: {address: '10.0.0.[1-4]/24'}
    links:
      - {between: ['h[1-4]', 'b[1-2]']}
      - {between: [b1, b2]}
    checks:
      - {at: 2s, connectivity: {}}
"""

pytestmark = pytest.mark.topology(text=CHAIN)


def judge(network: Network) -> CheckResult:
    checks = Checks(network)
    network.run_until(20 * NS_PER_S)
    assert not checks.pending
    (result,) = checks.results()
    return result


def test_a_whole_network_connects_all(network: Network) -> None:
    result = judge(network)
    assert (result.held, result.figures) == (True, "6 of 6 pairs connected")


@pytest.mark.parametrize(
    ("fault", "figures"),
    [
        (lambda faults: faults.pull("b1--b2"), "2 of 6 pairs connected"),
        (lambda faults: faults.break_direction("b1--b2", "b1"), "2 of 6 pairs connected"),
        (lambda faults: faults.crash("b1"), "1 of 6 pairs connected"),
        (lambda faults: faults.crash("h1"), "3 of 6 pairs connected"),
        (lambda faults: faults.partition(["h1"], ["b1"]), "3 of 6 pairs connected"),
    ],
)
def test_what_is_broken_does_not_connect_and_that_is_right(
    network: Network, fault: Any, figures: str
) -> None:
    fault(network.faults)
    result = judge(network)
    assert (result.held, result.figures, result.why) == (True, figures, "")


def test_who_should_be_reached_and_is_not_is_named(network: Network) -> None:
    network.faults.change("h4--b2", start="h4", loss=1.0)
    result = judge(network)
    assert result.held is False
    assert result.figures == "6 of 6 pairs connected, 3 otherwise than the network is"
    assert result.why == (
        "h1 does not reach h4, though links connect them: dropped at h4--b2: lost on the link "
        "(and 2 more)"
    )


def test_who_should_not_be_reached_and_is_is_named(network: Network) -> None:
    network.faults.break_direction("h1--b1", "h1")
    network.world.scheduler.call_at(
        2 * NS_PER_S + 1, lambda _: network.faults.mend_direction("h1--b1", "h1")
    )
    result = judge(network)
    assert result.why.startswith(
        "h1 reaches h2, though no links connect them: by way of h1, b1, b2, h2"
    )


def test_a_bad_link_is_no_reason(network: Network) -> None:
    network.faults.change("b1--b2", loss=0.3)
    network.faults.change("h1--b1", loss=0.1)
    assert judge(network).held is True


PAIRED = """
    name: paired
    switches:
      b1: {kind: bridge}
    hosts:
      h[1-2]: {address: '10.0.0.[1-2]/24', addresses: ['2001:db8::[1-2]/64']}
      h3: {address: 10.0.0.3/24}
    links:
      - {between: ['h[1-3]', b1]}
    checks:
      - {at: 4s, connectivity: {}}
"""


@pytest.mark.topology(text=PAIRED)
def test_both_versions_of_ip_are_asked_where_both_nodes_speak_both(network: Network) -> None:
    result = judge(network)
    assert result.figures == "3 of 3 pairs connected by IPv4, 1 of 1 by IPv6"
    assert result.held is True


@pytest.mark.topology(text=PAIRED)
def test_one_that_is_reached_by_ipv4_only_is_named(network: Network) -> None:
    class NoIpv6:
        def judge(self, frame: Frame, now: int) -> Verdict:
            return Drop(DropReason.LINK_LOSS) if frame.data[12:14] == b"\x86\xdd" else Pass()

    network.run_until("3s")  # so that duplicate address detection is over
    link = network.link("h2--b1")
    link.add_rule(link.ends[0], NoIpv6())
    result = judge(network)
    assert result.held is False
    assert result.why.startswith("h1 does not reach h2 by IPv6, though links connect them: ")


def test_of_very_many_pairs_a_sample_is_asked_that_the_seed_decides(load_network: Any) -> None:
    text = CHAIN.partition("    checks:")[0].replace("h[1-4]", "h[1-12]").replace("[1-4]", "[1-12]")
    samples = []
    for seed in (1, 1, 2):
        network = load_network(text=text, seed=seed)
        segments = network.topology.invariants.connectivity.segments
        found: list[Reached] = []
        Connectivity(network, segments, 20, NS_PER_S, found.append)
        network.run_for("5s")
        assert found[0].figures == "20 of 20 pairs connected, a sample of 66"
        assert (found[0].asked, found[0].of, found[0].wrong) == (20, 66, ())
        samples.append(network.trace.digest.hexdigest())
    assert samples[0] == samples[1] != samples[2]


@pytest.mark.parametrize(
    ("members", "pairs"), [((), 2016), ((2, 40), 2016), ((100,), 1000), ((2000, 3), 64)]
)
def test_the_larger_the_segments_the_smaller_the_sample(
    members: tuple[int, ...], pairs: int
) -> None:
    segments = [Segment((("x", Ipv4("10.0.0.1")),) * count) for count in members]
    assert sample_size(segments) == pairs


def test_every_pair_of_every_segment_has_a_number() -> None:
    def segment(*names: str) -> Segment:
        return Segment(tuple((name, Ipv4(number)) for number, name in enumerate(names, 1)))

    segments = (segment("a", "b", "c", "d"), segment("x"), segment("p", "q"))
    pairs = [(one.source, one.node) for one in questions(segments, range(7))]
    assert pairs == [
        ("a", "b"), ("a", "c"), ("b", "c"), ("a", "d"), ("b", "d"), ("c", "d"), ("p", "q"),
    ]  # fmt: skip
    assert [(one.source, one.node) for one in questions(segments, (3, 6))] == [pairs[3], pairs[6]]


def test_before_its_time_it_has_not_begun(network: Network) -> None:
    checks = Checks(network)
    network.run_for("1s")
    (result,) = checks.results()
    assert (result.title, result.held, result.figures) == ("connectivity", None, "not begun")
