"""Connectivity checks: who reaches whom, held against the network as it is."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.devices.rules import Duplicate, Verdict
from sdnvirt.frame import Frame
from sdnvirt.network.checks import CheckResult, Checks
from sdnvirt.network.network import Network
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
    assert result.why == "h1 does not reach h4, though links connect them (and 2 more)"


def test_who_should_not_be_reached_and_is_is_named(network: Network) -> None:
    network.faults.break_direction("h1--b1", "h1")
    network.world.scheduler.call_at(
        2 * NS_PER_S + 1, lambda _: network.faults.mend_direction("h1--b1", "h1")
    )
    result = judge(network)
    assert result.why.startswith("h1 reaches h2, though no links connect them")


def test_a_packet_that_comes_again_and_again_is_a_loop(network: Network) -> None:
    class Echo:
        def judge(self, frame: Frame, now: int) -> Verdict:
            return Duplicate(9)

    link = network.link("b1--b2")
    link.add_rule(link.ends[0], Echo())
    result = judge(network)
    assert result.held is False
    assert "10 times: a loop" in result.why


def test_before_its_time_it_has_not_begun(network: Network) -> None:
    checks = Checks(network)
    network.run_for("1s")
    (result,) = checks.results()
    assert (result.title, result.held, result.figures) == ("connectivity", None, "not begun")
