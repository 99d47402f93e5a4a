"""The DHCP function and hosts that are its clients, over a real link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.functions.dhcp import DhcpFunction
from sdnvirt.functions.dhcp_server import DhcpConfig, Outcome
from sdnvirt.host.stack import Host
from sdnvirt.host.udp import UdpSocket

VM_MAC, SERVER_MAC = Mac("02:00:00:00:00:01"), Mac("02:00:00:00:00:fe")
SERVER, ADDRESS = Ipv4("10.0.0.254"), Ipv4("10.0.0.7")
CONFIG = DhcpConfig(
    server=SERVER, subnet=IPv4Network("10.0.0.0/24"), lease_s=3600,
    reservations={VM_MAC: ADDRESS}, routers=(SERVER,), mtu=1450,
)  # fmt: skip
DAY = 86_400


@dataclass
class Net:
    world: World
    vm: Host
    function: DhcpFunction
    link: Link

    def run(self, seconds: float) -> None:
        scheduler = self.world.scheduler
        scheduler.run_until(scheduler.now + int(seconds * 1e9))


@pytest.fixture
def net():
    world = World(seed=1)
    vm = Host("vm", world, "acme", "acme/web")
    function = DhcpFunction("acme-web-dhcp", world, CONFIG, "acme", "acme/web")
    link = Link(
        world, "vm--dhcp",
        vm.add_port(1, "eth0", VM_MAC), function.add_port(1, "eth0", SERVER_MAC),
        LinkParameters(delay_ns=1000),
    )  # fmt: skip
    function.start()
    yield Net(world, vm, function, link)
    assert world.ledger.imbalance() == 0


@pytest.mark.parametrize("broadcast", [False, True])
def test_a_host_obtains_its_address(net, broadcast: bool) -> None:
    bound = []
    net.vm.start_dhcp(delay_ns=5000, broadcast=broadcast, on_bound=bound.append)
    assert net.vm.lease is None
    net.run(1)
    assert net.vm.address == ADDRESS
    assert net.vm.interface.mtu == 1450
    assert bound == [net.vm.lease]
    assert net.vm.routes[-1].gateway == SERVER
    # Four messages, and nobody had to ask for an address by ARP.
    assert (net.world.ledger.sent, net.world.ledger.dropped) == (4, 0)


def test_after_that_the_host_is_reachable(net) -> None:
    net.vm.start_dhcp()
    net.run(1)
    ping = net.function.start_ping(ADDRESS)
    net.run(4)
    assert ping.result().loss == 0.0


def test_answers_belong_to_the_conversation(net) -> None:
    causes = set()

    class Tap:
        def sent(self, port, frame) -> None:
            causes.add(frame.provenance.cause)

        def received(self, port, frame) -> None: ...

    net.vm.ports[1].taps = net.function.ports[1].taps = (Tap(),)
    net.vm.start_dhcp(cause=9)
    net.run(1)
    assert causes == {9}


def test_leases_are_renewed_for_days(net) -> None:
    bound = []
    net.vm.start_dhcp(on_bound=bound.append)
    net.run(3 * DAY)
    assert net.vm.address == ADDRESS
    assert net.function.server.outcomes == {
        Outcome.OFFERED: 1,
        Outcome.LEASED: 1 + 2 * 3 * 24 - 1,
    }
    assert len(bound) == 1
    assert net.world.ledger.dropped == 0


def test_the_address_is_gone_when_the_lease_ends_and_comes_back(net) -> None:
    net.vm.start_dhcp()
    net.run(1)
    net.link.set_up(False)
    net.run(3600)
    assert net.vm.address is None
    assert net.vm.lease is None
    assert net.vm.interface.mtu == 1500
    net.link.set_up(True)
    net.run(70)
    assert net.vm.address == ADDRESS


def test_a_server_that_is_late_is_waited_for(net) -> None:
    net.link.set_up(False)
    net.vm.start_dhcp()
    net.run(30)
    net.link.set_up(True)
    net.run(65)
    assert net.vm.address == ADDRESS


def test_time_does_not_run_backwards_for_a_lease_that_comes_after_its_t1() -> None:
    world = World(seed=1)
    vm = Host("vm", world)
    function = DhcpFunction("dhcp", world, replace(CONFIG, lease_s=2))
    Link(
        world, "vm--dhcp",
        vm.add_port(1, "eth0", VM_MAC), function.add_port(1, "eth0", SERVER_MAC),
        LinkParameters(delay_ns=600_000_000),
    )  # fmt: skip
    function.start()
    vm.start_dhcp()
    times = [0]

    class Tap:
        def sent(self, port, frame) -> None:
            times.append(world.scheduler.now)

        received = sent

    vm.ports[1].taps = (Tap(),)
    world.scheduler.run_until(10**10)
    assert times == sorted(times)
    assert function.server.outcomes[Outcome.LEASED] > 2
    assert world.ledger.imbalance() == 0


def test_a_released_address_is_given_up(net) -> None:
    service = net.vm.start_dhcp()
    net.run(1)
    assert not net.vm.interface.neighbours.knows(SERVER, net.world.scheduler.now)
    done = []
    service.release(lambda: done.append(net.vm.address))
    net.run(1)
    assert done == [None]
    assert net.function.server.outcomes[Outcome.RELEASED] == 1


def test_a_server_that_has_gone_is_not_waited_for_long(net) -> None:
    service = net.vm.start_dhcp()
    net.run(1)
    net.vm.ports[1].set_shut(True)
    service.release()
    service.release()  # impatient
    net.run(2)
    assert net.vm.address is not None
    net.run(2)
    assert net.vm.address is None
    assert not service.active


def test_a_host_that_crashes_before_it_could_say_so_is_silent(net) -> None:
    service = net.vm.start_dhcp()
    net.run(1)
    service.release()
    net.vm.crash()
    net.run(5)
    assert net.vm.address is None
    assert Outcome.RELEASED not in net.function.server.outcomes


def test_a_network_function_is_a_host(net) -> None:
    net.vm.start_dhcp()
    net.run(1)
    ping = net.vm.start_ping(SERVER)
    net.run(4)
    assert ping.result().received == 3


def test_the_same_seed_gives_the_same_conversation() -> None:
    def run() -> list[bytes]:
        world, frames = World(seed=5), []
        vm = Host("vm", world)

        class Tap:
            def sent(self, port, frame) -> None:
                frames.append(frame.data)

            def received(self, port, frame) -> None: ...

        vm.add_port(1, "eth0", VM_MAC).taps = (Tap(),)
        vm.start_dhcp()
        world.scheduler.run_until(100 * 10**9)
        assert world.ledger.imbalance() == 0
        return frames

    assert len(run()) == 5
    assert run() == run()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_rubbish_for_the_server_is_dropped(net, rubbish: bytes) -> None:
    socket = UdpSocket(net.vm, 0, lambda *_: None, interface=net.vm.interface)
    before = net.world.ledger.by_reason().get(DropReason.MALFORMED, 0)
    socket.send(Ipv4("255.255.255.255"), 67, rubbish)
    net.run(1)
    socket.close()
    assert net.world.ledger.by_reason()[DropReason.MALFORMED] == before + 1
    assert net.world.ledger.imbalance() == 0
