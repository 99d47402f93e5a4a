"""From the file form to the resolved form, in the order in which the parts need each other."""

from __future__ import annotations

from pathlib import Path as FilePath

from sdnvirt.topology.inventory import take_inventory
from sdnvirt.topology.plant import build_plant
from sdnvirt.topology.problems import Problems
from sdnvirt.topology.queues import build_queues
from sdnvirt.topology.reachability import build_invariants
from sdnvirt.topology.registry import Registry
from sdnvirt.topology.resolved import Topology
from sdnvirt.topology.scenario import build_checks, find_controller
from sdnvirt.topology.spec import TopologySpec
from sdnvirt.topology.tenancy import build_tenancy
from sdnvirt.topology.timeline import build_timeline


def resolve(written: TopologySpec, problems: Problems, seed: int | None = None) -> Topology:
    """Return the topology that a valid file form describes.

    Args:
        written: the file form.
        problems: of the same file; takes what is found wrong.
        seed: used in place of the file's.

    Raises:
        TopologyError: the parts do not fit together; all misfits at once.
    """
    folder = FilePath(problems.file).parent.absolute()
    registry = Registry(problems)
    inventory = take_inventory(written, registry, folder, problems)
    plant = build_plant(written, inventory, registry, problems)
    tenancy = build_tenancy(written, inventory, registry, problems)
    topology = Topology(
        name=written.name,
        description=written.description,
        seed=written.seed if seed is None else seed,
        path=problems.file,
        underlay_subnet=plant.underlay_subnet,
        routers=plant.routers,
        hypervisors=plant.hypervisors,
        tenants=tuple(written.tenants),
        networks=tenancy.networks,
        vms=tenancy.vms,
        functions=tenancy.functions,
        switches=plant.switches,
        hosts=plant.hosts,
        links=plant.links,
        queues=build_queues(inventory, plant, tenancy, problems),
        controller=find_controller(written.controller, folder, problems),
        timeline=build_timeline(written, plant.links, registry, problems),
        checks=build_checks(written.checks, plant, tenancy, registry, problems),
        invariants=build_invariants(written.invariants, plant, tenancy, problems),
        duration_ns=written.duration,
    )
    problems.raise_if_any()
    return topology
