"""The watch over tenants' isolation."""

from __future__ import annotations

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.devices.world import World
from sdnvirt.virt.isolation import KEPT_VIOLATIONS, IsolationMonitor


@pytest.fixture
def world():
    return World()


@pytest.fixture
def port(world, sink):
    return sink("vm2", world).add_port(1, "eth0", Mac(1))


@pytest.fixture
def monitor(world, port):
    monitor = IsolationMonitor(world)
    monitor.watch(port, "acme/web")
    return monitor


def test_frames_of_the_own_network_are_no_violation(world, port, monitor):
    port.receive(world.originate(b"", "vm1", "acme", "acme/web"))
    assert (monitor.count, monitor.violations, monitor.deliveries) == (0, [], 1)


@pytest.mark.parametrize("network", ["acme/db", "globex/web"])
def test_a_frame_of_another_network_is_told_in_full(world, port, monitor, network):
    world.scheduler.run_until(1_000)
    frame = world.originate(b"secret", "vm9", network.split("/")[0], network)
    port.receive(frame)
    (violation,) = monitor.violations
    assert monitor.count == 1
    assert (violation.time_ns, violation.frame) == (1_000, frame)
    assert str(violation) == (
        f"vm2:eth0 in acme/web received <Frame 6 B of <packet 1 of vm9>>, which is in {network}"
    )


def test_frames_of_no_network_are_counted_apart(world, port, monitor):
    port.receive(world.originate(b"", "controller"))
    assert (monitor.count, monitor.unowned) == (0, 1)


def test_all_violations_are_counted_and_the_first_kept(world, port, monitor):
    for _ in range(KEPT_VIOLATIONS + 5):
        port.receive(world.originate(b"", "vm9", "globex", "globex/web"))
    assert monitor.count == KEPT_VIOLATIONS + 5
    assert len(monitor.violations) == KEPT_VIOLATIONS
    assert monitor.violations[0].frame.provenance.packet_id == 1


def test_what_a_machine_sends_is_its_own(world, port, monitor):
    port.send(world.originate(b"", "vm9", "globex", "globex/web"))
    assert monitor.count == 0


def test_one_monitor_watches_many_ports_and_leaves_other_taps_alone(world, port, monitor, sink):
    other = sink("vm3", world).add_port(1, "eth0", Mac(2))
    seen = []

    class Witness:
        def received(self, port, frame):
            seen.append(frame)

    other.taps = (Witness(),)
    monitor.watch(other, "globex/web")
    frame = world.originate(b"", "vm9", "globex", "globex/web")
    other.receive(frame)
    port.receive(frame)
    assert seen == [frame]
    assert monitor.watched == (port, other)
    assert [violation.port for violation in monitor.violations] == ["vm2:eth0"]
