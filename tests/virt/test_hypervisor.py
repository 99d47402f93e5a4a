"""Hypervisors and their virtual machines: from vNIC to vNIC through the tunnel."""

from __future__ import annotations

from ipaddress import IPv4Interface

import pytest

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.device import Device, Port
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.virt.hypervisor import Hypervisor
from sdnvirt.virt.isolation import IsolationMonitor
from sdnvirt.virt.vm import Vm


class Patch(Device):
    """A virtual switch of two ports: what comes from the vNIC goes into the tunnel, and back."""

    def receive(self, port: Port, frame: Frame) -> None:
        if port.number == 1:
            self.ports[101].send(frame.rewritten(frame.data, 5001))
        else:
            self.ports[1].send(frame)


@pytest.fixture
def vms(underlay):
    """Two machines of acme/web, one on each of two hypervisors."""
    vms = []
    for number, vtep in enumerate((underlay.v1, underlay.v2), start=1):
        hypervisor = Hypervisor(f"hv{number}", Patch(f"hv{number}", underlay.world), vtep)
        vm = Vm(f"vm{number}", underlay.world, "acme/web", Mac(0x0E00_0000_0000 + number), 1550)
        vm.configure(IPv4Interface(f"192.168.0.{number}/24"))
        hypervisor.plug(vm.vnic, 1, Mac(0xFE00_0000_0000 + number), mtu=1550)
        peer = Ipv4(f"10.0.0.{3 - number}")
        tunnel = hypervisor.add_tunnel(101, f"hv{3 - number}", Mac(0xFE01_0000_0000), peer)
        assert hypervisor.tunnels == {101: tunnel}
        assert hypervisor.vnics[1].name == f"vm{number}--hv{number}"
        vms.append(vm)
    return vms


def test_a_ping_crosses_the_tunnel_and_nothing_is_lost(underlay, vms):
    monitor = IsolationMonitor(underlay.world)
    for vm in vms:
        monitor.watch(vm.vnic, "acme/web")
    ping = vms[0].start_ping(Ipv4("192.168.0.2"), count=2)
    underlay.world.scheduler.run_until(10_000_000_000)
    assert ping.result().received == 2
    assert (monitor.count, monitor.unowned) == (0, 0)
    assert underlay.v1.traffic()[5001].tx_frames == monitor.deliveries // 2
    assert underlay.world.ledger.dropped == 0
    assert underlay.world.ledger.imbalance() == 0


def test_a_machine_marks_its_frames_with_tenant_and_network(underlay, vms):
    seen = []

    class Tap:
        def received(self, port, frame):
            seen.append(frame.provenance)

        def sent(self, port, frame):
            """Only what arrives has come a long way."""

    vms[1].vnic.taps = (Tap(),)
    vms[0].start_ping(Ipv4("192.168.0.2"), count=1)
    underlay.world.scheduler.run_until(1_000_000)
    assert {(p.origin, p.tenant, p.network) for p in seen} == {("vm1", "acme", "acme/web")}


@pytest.mark.parametrize(("size", "received"), [(1550 - 28, 1), (1550 - 27, 0)])
def test_a_machines_largest_packet_fits_the_underlay(underlay, vms, size, received):
    """1550 bytes over an underlay of 1600, exactly."""
    ping = vms[0].start_ping(Ipv4("192.168.0.2"), count=1, size=size)
    underlay.world.scheduler.run_until(5_000_000_000)
    assert ping.result().received == received
    assert underlay.world.ledger.dropped == 0  # the machine itself refuses what is larger


def test_the_vnics_link_keeps_to_the_mtu_of_the_tenant_network(underlay):
    world = underlay.world
    hypervisor = Hypervisor("hv3", Bridge("hv3", world), underlay.v1)
    vm = Vm("vm3", world, "acme/web", Mac(3), mtu=1450)
    hypervisor.plug(vm.vnic, 1, Mac(4), mtu=1450)
    vm.vnic.send(world.originate(bytes(1465), "vm3"))
    assert world.ledger.by_reason() == {DropReason.LINK_MTU: 1}
