"""The exception tree: the user's mistakes, the peer's, and nothing else."""

from __future__ import annotations

import inspect

import pytest

from sdnvirt import errors
from sdnvirt.engine.scheduler import StuckError
from sdnvirt.errors import SdnvirtError, TopologyError, UserError, WireError

OURS = [
    value
    for _, value in sorted(vars(errors).items())
    if inspect.isclass(value) and issubclass(value, Exception)
]


@pytest.mark.parametrize("error", [*OURS, StuckError], ids=lambda error: error.__name__)
def test_every_error_is_in_the_tree_that_the_module_draws(error):
    assert issubclass(error, SdnvirtError)
    assert error.__name__ in errors.__doc__


@pytest.mark.parametrize("error", OURS, ids=lambda error: error.__name__)
def test_no_error_is_both_the_users_and_the_peers(error):
    assert not (issubclass(error, UserError) and issubclass(error, WireError))


def test_a_topology_error_tells_every_problem_on_a_line():
    error = TopologyError(["a.yaml:1:1: first", "a.yaml:2:1: second"])
    assert error.problems == ["a.yaml:1:1: first", "a.yaml:2:1: second"]
    assert str(error) == "a.yaml:1:1: first\na.yaml:2:1: second"
