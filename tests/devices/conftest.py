"""A world, a switch, stations at it, and a controller of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from tests.devices.controller import Controller
from tests.devices.station import Station, stations_of


@pytest.fixture
def world() -> World:
    return World(seed=1)


@pytest.fixture
def station(world: World) -> Callable[..., Station]:
    """Make a station of the test's world."""
    return stations_of(world)


@pytest.fixture
def a(station: Callable[..., Station]) -> Station:
    """A station without a link."""
    return station()


@pytest.fixture
def b(station: Callable[..., Station]) -> Station:
    """Another one."""
    return station()


@pytest.fixture
def switch(world: World) -> Iterator[OpenFlowSwitch]:
    yield OpenFlowSwitch("s1", world, 0x2A)
    assert world.ledger.imbalance() == 0


@pytest.fixture
def stations(switch: OpenFlowSwitch, station: Callable[..., Station]) -> list[Station]:
    return [station(switch) for _ in range(3)]


@pytest.fixture
def controller(world: World, switch: OpenFlowSwitch, stations: list[Station]) -> Controller:
    controller = Controller(world)
    switch.connect(controller)
    controller.rest()
    return controller
