"""What is broken in a network, and by what.

A link carries frames while nothing holds it down: it may have been pulled out, stand between the
parts of a partition, and lead to a node that crashed, all at once. Each repair takes its own cause
away, and the link comes up with the last of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link
from sdnvirt.devices.rules import Drop, Verdict
from sdnvirt.drops import DropReason
from sdnvirt.errors import UserError
from sdnvirt.frame import Frame
from sdnvirt.host.stack import Host
from sdnvirt.network.graph import ends
from sdnvirt.network.nodes import nearest
from sdnvirt.network.parameters import check
from sdnvirt.topology.events import ControllerFault

if TYPE_CHECKING:
    from sdnvirt.network.network import Network

_PULLED: Final = "pulled out"
_PARTITION: Final = "partition"

_BROKEN: Final = Drop(DropReason.ONE_WAY)


class OneWay:
    """The rule that loses every frame of a direction, of which neither end is told."""

    def judge(self, frame: Frame, now: int) -> Verdict:
        """Lose the frame."""
        return _BROKEN


class Faults:
    """The faults of one network, by the names of its nodes and links.

    All methods raise UserError for a name that the network does not have.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._plant = network.plant
        self._held: dict[str, list[str]] = {}
        self._broken: dict[Port, OneWay] = {}
        self._crashed: dict[str, list[Device]] = {}

    # links

    def pull(self, link: str) -> None:
        """Pull a link out: both ends see that it is down, and frames on it are lost."""
        self._hold(self._network.link(link), _PULLED)

    def plug(self, link: str) -> None:
        """Plug a link in again."""
        self._release(self._network.link(link), _PULLED)

    def change(self, link: str, *, start: str | None = None, **parameters: Any) -> None:
        """Change what a link is like for the frames that enter it from now on.

        Args:
            link: its name.
            start: the node at which the one direction begins that is changed; None for both.
            parameters: fields of :class:`~sdnvirt.devices.link.LinkParameters`.

        Raises:
            UserError: there is no such field, or a value is none of its kind.
        """
        check(parameters)
        found = self._network.link(link)
        for end in found.ends if start is None else (self._end(found, start),):
            found.change(end, replace(found.parameters_from(end), **parameters))
        self._network.link_changed(found)

    def break_direction(self, link: str, start: str) -> None:
        """Lose all frames that enter a link at a node, while both ends think that it is up.

        Such a failure is not told to anybody; protocols with answers find it (UDLD, BFD).
        """
        found = self._network.link(link)
        end = self._end(found, start)
        if end not in self._broken:
            rule = self._broken[end] = OneWay()
            found.add_rule(end, rule)

    def mend_direction(self, link: str, start: str) -> None:
        """Take :meth:`break_direction` back."""
        found = self._network.link(link)
        end = self._end(found, start)
        rule = self._broken.pop(end, None)
        if rule is not None:
            found.remove_rule(end, rule)

    def is_broken(self, link: Link) -> bool:
        """Whether a direction of a link is broken."""
        return any(end in self._broken for end in link.ends)

    def partition(self, *parts: Iterable[str]) -> None:
        """Take down every link between nodes of different parts; nodes of none keep theirs.

        Raises:
            UserError: a node is in two parts.
        """
        part_of: dict[str, int] = {}
        for number, part in enumerate(parts):
            for node in part:
                if part_of.setdefault(self._network[node].name, number) != number:
                    raise UserError(f"{node} is in two parts of the partition")
        for link in self._plant.links.values():
            a, b = (part_of.get(node) for node in ends(link))
            if a is not None and b is not None and a != b:
                self._hold(link, _PARTITION)

    def heal(self) -> None:
        """End all partitions."""
        for link in self._plant.links.values():
            self._release(link, _PARTITION)

    # nodes

    def is_down(self, node: str) -> bool:
        """Whether a node crashed, or the hypervisor that it is on, and was not restarted."""
        return any(device.name == node for devices in self._crashed.values() for device in devices)

    def crash(self, node: str) -> None:
        """Let a node lose its power: its links go down, and what it did not keep on disk is lost.

        With a hypervisor go the VMs and functions on it.

        Raises:
            UserError: it is down already.
        """
        name = self._network[node].name
        if self.is_down(name):
            raise UserError(f"{name} cannot crash: it is down already")
        devices = self._crashed[name] = self._devices_of(name)
        for link in self._links_of(devices):
            self._hold(link, name)
        for device in devices:
            device.crash()
            if isinstance(device, Host):
                self._network.kill_programs(device)

    def restart(self, node: str) -> None:
        """Let a node that crashed start again.

        Raises:
            UserError: it did not crash.
        """
        devices = self._crashed.pop(self._network[node].name, None)
        if devices is None:
            raise UserError(f"{node} cannot restart: it did not crash")
        for device in devices:
            device.restart()
        for link in self._links_of(devices):
            self._release(link, node)

    # the controller

    def control(self, fault: ControllerFault) -> None:
        """Let the embedded controller die, begin anew, hang or go on.

        Raises:
            UserError: there is none, or it is not in a state for that.
        """
        controller = self._network.controller
        if controller is None:
            raise UserError(f"there is no embedded controller to {fault.value}")
        getattr(controller, fault.value)()

    def _end(self, link: Link, node: str) -> Port:
        names = ends(link)
        if node not in names:
            raise UserError(f"{link.name} does not begin at {node!r}{nearest(node, names)}")
        return link.ends[names.index(node)]

    def _devices_of(self, node: str) -> list[Device]:
        """Return the devices that share the fate of a node, those that are up."""
        plant = self._plant
        devices = [plant.devices[node]]
        hypervisor = plant.hypervisors.get(node)
        if hypervisor is not None:
            devices.append(hypervisor.vtep)
            guests = (link.ends[0].device for link in hypervisor.vnics.values())
            devices += [guest for guest in guests if not self.is_down(guest.name)]
        return devices

    def _links_of(self, devices: list[Device]) -> list[Link]:
        return [
            link
            for link in self._plant.links.values()
            if any(port.device in devices for port in link.ends)
        ]

    def _hold(self, link: Link, cause: str) -> None:
        causes = self._held.setdefault(link.name, [])
        if cause not in causes:
            causes.append(cause)
        if link.plugged:
            link.set_up(False)

    def _release(self, link: Link, cause: str) -> None:
        causes = self._held.get(link.name, [])
        if cause in causes:
            causes.remove(cause)
        if not causes and not link.plugged:
            link.set_up(True)
