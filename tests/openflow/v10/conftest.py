"""What the generated messages of OpenFlow 1.0 are made of."""

from __future__ import annotations

import pytest

from tests.openflow.v10.generators import STRATEGIES, action_lists, matches


@pytest.fixture
def generated():
    """Strategies of what messages are made of."""
    return {"match": matches, "actions": action_lists, "FlowMod": STRATEGIES["FlowMod"]}
