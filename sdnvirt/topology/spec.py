"""The file form of a topology: what a user may write, as pydantic models.

The descriptions are read by the JSON schema (editors) and by the reference, ``docs/topology.md``.
What needs more than one value to judge (does this node exist, is that address taken) is judged
when the file is resolved.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from sdnvirt.topology import fields as f
from sdnvirt.topology.checks_spec import CheckSpec, InvariantsSpec
from sdnvirt.topology.family_fields import Subnet6
from sdnvirt.topology.host_spec import HostSpec
from sdnvirt.topology.model import Model, one_of, written
from sdnvirt.topology.quality_spec import LinkQuality


class LinearSpec(Model):
    """A chain: every node is linked to the next."""

    nodes: f.Many = Field(description="Number of nodes.")


class RingSpec(Model):
    """A circle of nodes."""

    nodes: f.RingSize = Field(description="Number of nodes.")


class StarSpec(Model):
    """One node in the middle, ``hub``, and leaves around it, ``leaf1`` and so on."""

    leaves: f.Many = Field(description="Number of leaves.")


class TreeSpec(Model):
    """A balanced tree; hosts are on its leaves."""

    depth: f.Small = Field(description="Levels of nodes; 1 is the root alone.")
    fanout: f.Small = Field(description="Children of each node that is not a leaf.")


class LeafSpineSpec(Model):
    """Every leaf is linked to every spine: ``leaf1``, ``spine1`` and so on."""

    spines: f.Small = Field(description="Number of spines.")
    leaves: f.Medium = Field(description="Number of leaves.")


class FatTreeSpec(Model):
    """A three-layer Clos network of k pods (Al-Fares and others, SIGCOMM 2008).

    ``core1`` to k²/4, and k/2 of ``agg1``... and ``edge1``... in each pod.
    """

    k: f.Pods = Field(description="Number of pods, which is also the ports of each switch.")


class GraphmlSpec(Model):
    """A graph from a GraphML file, such as those of the Internet Topology Zoo.

    Nodes are named by their ``label`` (or id) in lowercase. Edges may carry ``rate``, ``delay``,
    ``queue``, ``mtu`` and ``loss``, written as in this file.
    """

    file: f.Text = Field(description="Path from the folder of the topology file.")


class Generated(Model):
    """The shapes that can be generated; one of them is given."""

    linear: LinearSpec | None = Field(None, description="A chain.")
    ring: RingSpec | None = Field(None, description="A circle.")
    star: StarSpec | None = Field(None, description="A hub and leaves.")
    tree: TreeSpec | None = Field(None, description="A balanced tree.")
    leaf_spine: LeafSpineSpec | None = Field(None, description="Two layers, fully meshed.")
    fat_tree: FatTreeSpec | None = Field(None, description="A fat tree of k pods.")
    graphml: GraphmlSpec | None = Field(None, description="A graph from a file.")
    prefix: f.Prefix | None = Field(
        None, description="Put before the generated names, as in ``f-leaf1``."
    )
    link: LinkQuality = written({}, "Quality of the generated links.")


VTEP_SUBNET = "172.16.0.0/16"
SHAPES = ("linear", "ring", "star", "tree", "leaf_spine", "fat_tree", "graphml")


class UnderlaySpec(Generated):
    """The IP fabric of routers that carries the tunnels between hypervisors.

    Generated routers are named ``r1`` and so on where the shape has no names of its own.
    """

    routers: list[f.Names] = Field(
        default_factory=list,
        description="Routers beside the generated ones; ``links`` connects them.",
    )
    subnet: f.Subnet = written(VTEP_SUBNET, "Where the hypervisors' VTEP addresses come from.")

    @model_validator(mode="after")
    def _shape(self) -> Self:
        one_of(self, SHAPES, least=0 if self.routers else 1)
        return self


class FabricHostsSpec(Model):
    """Hosts on the edge of a generated fabric, with addresses counted up from .1."""

    per_edge: f.Medium = Field(1, description="Hosts on each edge switch.")
    subnet: f.Subnet = written("10.0.0.0/16", "Where their addresses come from.")
    subnet6: Subnet6 | None = Field(
        None, description="Where their IPv6 addresses come from. Default: they speak IPv4 only."
    )
    prefix: f.Prefix = Field("h", description="Their names are this and a number.")


_FAIL_MODE = (
    "What an OpenFlow switch does while no controller is connected: what its entries say, or what "
    "a learning bridge does. Default: secure."
)


class FabricSpec(Generated):
    """A generated layer 2 network of switches and hosts.

    Switches are named ``s1`` and so on where the shape has no names of its own. Hosts are on the
    edge switches of a fat tree, the leaves of a tree, star or leaf-spine, else on every switch.
    """

    kind: f.Kind = Field("openflow", description="What the switches are.")
    fail_mode: f.Fallback | None = Field(None, description=_FAIL_MODE)
    hosts: FabricHostsSpec | None = Field(None, description="Hosts on the edge. Default: none.")

    @model_validator(mode="after")
    def _shape(self) -> Self:
        one_of(self, SHAPES)
        return self


class QueueSpec(Model):
    """An egress queue of some ports of an OpenFlow switch, for flow entries with ``set_queue``.

    The queues of a port share its link. What their minimum rates leave is shared equally by all
    that have something to send, and by what is sent without a queue.
    """

    port: f.PortNames = Field(
        description="The node at the other end of the port; a range stands for several ports. On a "
        "hypervisor, a VM or network function, or ``vx-hv2`` for the tunnel to hv2."
    )
    id: f.QueueId = Field(description="The number by which entries name it, unique on the port.")
    min_rate: f.Rate | None = Field(
        None, description="Bits per second that it is sure of. Default: none."
    )
    max_rate: f.Rate | None = Field(
        None, description="Bits per second that it never passes. Default: no limit."
    )


class HypervisorSpec(Model):
    """A server that runs VMs behind a virtual OpenFlow switch, with one NIC on the underlay."""

    attach: f.Names = Field(
        description="The router it is linked to. A range is gone through in step with the names: "
        "``hv[1-4]`` on ``leaf[1-2]`` are on leaf1, leaf2, leaf1, leaf2."
    )
    dpid: f.Dpid | None = Field(
        None, description="Datapath id of its switch. Default: the first free one."
    )
    queues: list[QueueSpec] = Field(
        default_factory=list, description="Egress queues of its virtual switch's ports."
    )


class DhcpSpec(Model):
    """The DHCP server of a network: a network function named ``TENANT-NETWORK-dhcp``."""

    hypervisor: f.Name | None = Field(None, description="Where it runs. Default: the first.")
    address: f.Address | None = Field(
        None, description="Its address. Default: the first free one from .2 of the subnet."
    )
    lease: f.PositiveTime = written("60min", "How long a lease lasts.")


def _dhcp(value: Any) -> Any:
    if isinstance(value, bool):
        return {} if value else None
    if isinstance(value, dict | DhcpSpec):
        return value
    raise f.wrong("true, false or a mapping")


class NetworkSpec(Model):
    """A tenant's network: one VXLAN segment. Tenants may use the same subnets and MACs."""

    vni: f.Vni = Field(description="VXLAN network identifier, unique in the file (RFC 7348).")
    subnet: f.Subnet = Field(description="Addresses of the network's VMs.")
    mtu: f.Mtu = Field(1500, description="MTU of the VMs' interfaces.")
    dhcp: Annotated[
        DhcpSpec | None, BeforeValidator(_dhcp, json_schema_input_type=bool | DhcpSpec)
    ] = written(False, "Whether a DHCP server hands out the addresses.")


class TenantSpec(Model):
    """A tenant and its networks."""

    networks: dict[f.Name, NetworkSpec] = Field(
        default_factory=dict, description="The tenant's networks by name."
    )


class VmSpec(Model):
    """A virtual machine with one interface."""

    network: f.NetworkName = Field(description="The tenant network it is in.")
    hypervisor: f.Names = Field(
        description="Where it runs. A range is gone through in step with the names."
    )
    mac: f.Macs | None = Field(None, description="Default: unique in the file.")
    address: f.Addresses | None = Field(
        None, description="Default: the first free one of the subnet after .1 to .9."
    )
    dhcp: f.Flag | None = Field(
        None, description="Whether it asks for its address. Default: if the network has DHCP."
    )


class SwitchSpec(Model):
    """A layer 2 switch."""

    kind: f.Kind = Field(description="A learning bridge with VLANs, or an OpenFlow switch.")
    dpid: f.Dpid | None = Field(
        None, description="Datapath id of an OpenFlow switch. Default: the first free one."
    )
    ageing: f.PositiveTime | None = Field(
        None, description="When a bridge forgets an idle address. Default: 300s (802.1Q)."
    )
    fail_mode: f.Fallback | None = Field(None, description=_FAIL_MODE)
    queues: list[QueueSpec] = Field(
        default_factory=list, description="Egress queues of an OpenFlow switch's ports."
    )


class LinkSpec(LinkQuality):
    """A cable. On a bridge without ``vlan`` and ``trunk``, it is an access port of VLAN 1."""

    between: f.NamesPair = Field(
        description="The two nodes; ranges are gone through in step, the shorter one repeatedly. "
        "Hosts and switches are linked, and routers with routers."
    )
    vlan: f.Vlan | None = Field(None, description="Access port of this VLAN on the bridge.")
    trunk: f.Trunk | None = Field(None, description="Trunk port with these VLANs allowed.")
    native: f.Vlan | None = Field(
        None, description="The VLAN that is untagged on the trunk. Default: none."
    )
    back: LinkQuality | None = Field(
        None, description="What is different from the second node to the first. Default: nothing."
    )


class ControllerSpec(Model):
    """The controller: Ryu apps, each a file (``controllers/learning_switch.py``) or a module.

    Files are looked for from the folder of the topology file, its parent, and the current folder.
    """

    app: f.Text | None = Field(None, description="One app.")
    apps: list[f.Text] | None = Field(None, description="Several, in the order they start.")
    delay: f.Time = Field(
        0,
        description="How long everything is on its way between switches and embedded apps, in "
        "each direction.",
    )
    options: dict[f.OptionName, f.OptionValue] = Field(
        default_factory=dict,
        description="Options of `ryu-manager` for embedded apps, without dashes, such as "
        "``observe-links: true``.",
    )

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        one_of(self, ("app", "apps"))
        if self.apps == []:
            raise PydanticCustomError("words", "", {"found": "no app", "expected": "one or more"})
        return self


class FlapSpec(Model):
    """A link that goes down and up again, several times."""

    link: f.LinkName = Field(description="The link.")
    down: f.PositiveTime = Field(description="How long it is down.")
    up: f.PositiveTime = Field(description="How long it is up in between.")
    times: f.Medium = Field(description="How often it goes down.")


class DirectionSpec(Model):
    """One direction of a link."""

    link: f.LinkName = Field(description="The link.")
    start: f.Name = Field(alias="from", description="The node at which the direction begins.")


class ChangeSpec(LinkQuality):
    """Another quality of a link. Keys left out stay as they are."""

    link: f.LinkName = Field(description="The link.")
    start: f.Name | None = Field(
        None,
        alias="from",
        description="The node at which the one direction begins that is changed. Default: both.",
    )


class RunSpec(Model):
    """A command on a host, such as ``ping -c 3 10.0.0.2``; the report shows what it prints."""

    on: f.Name = Field(description="The host, VM or network function.")
    command: f.Text = Field(description="The command and its options; see docs/commands.md.")
    background: f.Flag = Field(
        False,
        description="Whether the run ends without waiting for it; then it is stopped as by Ctrl-C.",
    )
    stdin: f.Text | None = Field(
        None, description="A line that it reads, as ``nc`` does. Default: nothing."
    )


class EventSpec(Model):
    """Something that breaks, changes, is repaired or is run on a host during the run.

    A link carries frames while none of these holds it down: ``down``, ``partition``, ``crash``.
    Each repair takes back its own fault only.
    """

    at: f.Time = Field(description="Virtual time from the start.")
    down: f.LinkName | None = Field(None, description="The link goes down.")
    up: f.LinkName | None = Field(None, description="The link comes up again.")
    flap: FlapSpec | None = Field(None, description="The link goes down and up several times.")
    break_: DirectionSpec | None = Field(
        None,
        alias="break",
        description="Frames of one direction are lost, while both ends think that the link is up.",
    )
    mend: DirectionSpec | None = Field(None, description="The direction works again.")
    change: ChangeSpec | None = Field(None, description="The link becomes another.")
    partition: list[f.Names] | None = Field(
        None,
        description="Links between nodes of different parts go down; each part is a name or range.",
    )
    heal: f.On | None = Field(None, description="All partitions end.")
    crash: f.Name | None = Field(
        None,
        description="The node loses its power: its links go down, and an OpenFlow switch loses its "
        "tables. With a hypervisor go its VMs and functions.",
    )
    restart: f.Name | None = Field(None, description="The node that crashed starts again.")
    controller: f.ControllerFault | None = Field(
        None,
        description="What becomes of the embedded controller: killed, it refuses connections, and "
        "after a restart its apps begin anew; stalled, it does nothing until it resumes.",
    )

    run: RunSpec | None = Field(None, description="A command runs on a host.")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        keys = (
            "down", "up", "flap", "break_", "mend", "change", "partition", "heal", "crash",
            "restart", "controller", "run",
        )  # fmt: skip
        one_of(self, keys)
        return self


class TopologySpec(Model):
    """A topology file: a whole virtual data centre, what happens to it, and what must hold."""

    name: f.Name = Field(description="Short name, for reports and file names.")
    description: f.Text = Field("", description="What it shows, in a sentence.")
    seed: f.Seed = Field(1, description="Seed of everything random; same seed, same run.")
    underlay: UnderlaySpec | None = Field(None, description="IP fabric of the hypervisors.")
    fabric: FabricSpec | None = Field(None, description="Generated layer 2 network.")
    hypervisors: dict[f.NamesKey, HypervisorSpec] = Field(
        default_factory=dict, description="Servers with virtual switches, by name or range."
    )
    tenants: dict[f.Name, TenantSpec] = Field(default_factory=dict, description="Tenants by name.")
    vms: dict[f.NamesKey, VmSpec] = Field(
        default_factory=dict, description="Virtual machines by name or range."
    )
    switches: dict[f.NamesKey, SwitchSpec] = Field(
        default_factory=dict, description="Layer 2 switches by name or range."
    )
    hosts: dict[f.NamesKey, HostSpec] = Field(
        default_factory=dict, description="Bare-metal hosts by name or range."
    )
    links: list[LinkSpec] = Field(
        default_factory=list, description="Cables; a node's ports are numbered in this order."
    )
    controller: ControllerSpec | None = Field(
        None, description="What steers the OpenFlow switches. Default: none."
    )
    timeline: list[EventSpec] = Field(
        default_factory=list,
        description="What happens during the run: to links and nodes, and on hosts.",
    )
    duration: f.Time = Field(
        0, description="The run lasts at least this long; it lasts until all checks are done."
    )
    checks: list[CheckSpec] = Field(
        default_factory=list, description="What must hold; the run fails if one does not."
    )
    invariants: InvariantsSpec = written(
        {}, "What must hold in every run, unless the file says otherwise."
    )
