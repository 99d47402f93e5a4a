"""A running Open vSwitch for all tests that want one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.differential.open_vswitch import MISSING, SCHEMA, OpenVSwitch


@pytest.fixture(scope="session")
def open_vswitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenVSwitch]:
    """A running Open vSwitch; without one, the test is skipped."""
    if MISSING or not SCHEMA.exists():
        pytest.skip("ovs-vswitchd of Debian's openvswitch-switch is not installed")
    running = OpenVSwitch(tmp_path_factory.mktemp("ovs"))
    try:
        running.start()
        yield running
    finally:
        running.stop()
