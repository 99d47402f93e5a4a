"""Generated messages of each version, for the tests of all versions and of each."""

from __future__ import annotations

import pytest

from tests.openflow.v10 import generators as generators10
from tests.openflow.v13 import generators as generators13

GENERATORS = {"v10": generators10, "v13": generators13}
"""What generates the messages of each version, by its package and its directory here."""


def pytest_generate_tests(metafunc):
    """Run a test that takes ``message_kind`` for each kind of message, or those that it names.

    A test beside this file takes ``version``, too, and is run for all kinds of all versions.
    """
    if "message_kind" not in metafunc.fixturenames:
        return
    if any("message_kind" in mark.args for mark in metafunc.definition.iter_markers()):
        return
    if "version" in metafunc.fixturenames:
        kinds = [(v, kind) for v, one in GENERATORS.items() for kind in sorted(one.STRATEGIES)]
        metafunc.parametrize(("version", "message_kind"), kinds)
    else:
        strategies = GENERATORS[metafunc.definition.path.parent.name].STRATEGIES
        metafunc.parametrize("message_kind", sorted(strategies))


@pytest.fixture
def messages(request, message_kind):
    """The strategy that generates messages of the kind."""
    asked = request.node.callspec.params.get("version", request.path.parent.name)
    return GENERATORS[asked].STRATEGIES[message_kind]
