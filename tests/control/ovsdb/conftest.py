"""A hypervisor with its database, and a client of it."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.control.ovsdb.switch_tables import SwitchTables
from sdnvirt.network.network import Network
from tests.control.ovsdb.client import Client

TWO = """
    name: two
    underlay: {routers: [r1]}
    hypervisors: {"hv[1-2]": {attach: r1}}
    tenants: {acme: {networks: {web: {vni: 10, subnet: 10.0.0.0/24}}}}
    vms: {"vm[1-2]": {network: acme/web, hypervisor: "hv[1-2]", address: "10.0.0.[1-2]"}}
"""


@pytest.fixture
def network(load_network: Any) -> Network:
    return load_network(text=TWO)  # type: ignore[no-any-return]


@pytest.fixture
def tables(network: Network) -> SwitchTables:
    return SwitchTables(network, "hv1")


@pytest.fixture
def client(tables: SwitchTables) -> Client:
    return Client(tables)


@pytest.fixture
def another(tables: SwitchTables) -> Client:
    return Client(tables)
