"""Shortest paths: a network of OpenFlow 1.3 switches whose map the controller has.

The app reads the topology file. For every host each switch gets one flow entry, to the next switch
on a shortest path; equally short ones are told apart by name, so that every run is the same.
Broadcasts follow a spanning tree, without which they would circle for ever. When a link fails or
comes back, the paths are computed again, and only the entries that changed are sent.

Run it with a topology that has OpenFlow switches::

    sdnvirt run topologies/fat-tree.yaml
"""

import networkx as nx
from ryu import cfg
from ryu.base import app_manager
from ryu.controller import ofp_event
from ryu.controller.handler import DEAD_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from ryu.ofproto import ofproto_v1_3

from sdnvirt import topology

cfg.CONF.register_opts([cfg.StrOpt("topology", help="topology file")], group="sdnvirt")

PRIORITY = 10
GROUP_ADDRESSES = ("01:00:00:00:00:00", "01:00:00:00:00:00")  # broadcast and multicast

# What an entry is for; this is its cookie.
TO_HOST = 0x1
BROADCAST = 0x2


class ShortestPath(app_manager.RyuApp):
    """Keeps the flow entries of all switches on the shortest paths of the links that work."""

    OFP_VERSIONS = (ofproto_v1_3.OFP_VERSION,)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        path = self.CONF.sdnvirt.topology
        if path is None:
            raise ValueError("no topology file; see controllers/README.md")
        self.data_centre = topology.load(path)
        self.names = {
            switch.dpid: switch.name
            for switch in self.data_centre.switches
            if switch.dpid is not None
        }
        self.datapaths = {}  # switch name -> Datapath, of the switches that are connected
        self.installed = {}  # switch name -> {match: (cookie, output ports)}
        self.links = self.data_centre.links
        self.wanted = flow_tables(self.data_centre, self.links)

    @set_ev_cls(ofp_event.EventOFPStateChange, [MAIN_DISPATCHER, DEAD_DISPATCHER])
    def switch_came_or_went(self, event):
        datapath = event.datapath
        name = self.names.get(datapath.id)
        if name is None:
            self.logger.info("switch %s is not one of the topology's", datapath.id)
        elif event.state == DEAD_DISPATCHER:
            self.datapaths.pop(name, None)
        else:
            self.datapaths[name] = datapath
            self.installed[name] = {}
            self.change(datapath, {}, datapath.ofproto.OFPFC_DELETE)
            self.update()

    @set_ev_cls(ofp_event.EventOFPPortStateChange, MAIN_DISPATCHER)
    def port_changed(self, event):
        if event.datapath.id in self.names:
            self.update()

    def update(self):
        """Send every connected switch the difference between what it has and should have."""
        links = tuple(
            link for link in self.data_centre.links if self.works(link.a) and self.works(link.b)
        )
        if links != self.links:
            self.links, self.wanted = links, flow_tables(self.data_centre, links)
        for name, datapath in self.datapaths.items():
            old, new = self.installed[name], self.wanted[name]
            if old is not new:
                self.send_difference(datapath, old, new)
                self.installed[name] = new

    def send_difference(self, datapath, old, new):
        ofproto = datapath.ofproto
        for match in old:
            if match not in new:
                self.change(datapath, match, ofproto.OFPFC_DELETE_STRICT)
        for match, entry in new.items():
            if old.get(match) != entry:
                self.change(datapath, match, ofproto.OFPFC_ADD, *entry)

    def works(self, end):
        """Return whether a port is up; ports of switches that are not connected count as up."""
        datapath = self.datapaths.get(end.node)
        if datapath is None:
            return True
        port = datapath.ports.get(end.port)
        return port is not None and not port.state & ofproto_v1_3.OFPPS_LINK_DOWN

    def change(self, datapath, match, command, cookie=0, out_ports=()):
        """Add or delete a flow entry."""
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        actions = [parser.OFPActionOutput(port) for port in out_ports]
        apply = parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)
        datapath.send_msg(
            parser.OFPFlowMod(
                datapath,
                command=command,
                cookie=cookie,
                priority=PRIORITY,
                match=parser.OFPMatch(**dict(match)),
                instructions=[apply] if actions else [],
                out_port=ofproto.OFPP_ANY,
                out_group=ofproto.OFPG_ANY,
            )
        )


def flow_tables(data_centre, links):
    """Return what each OpenFlow switch should have: {match: (cookie, output ports)}."""
    graph = fabric(data_centre, links)
    tables = {switch.name: {} for switch in data_centre.switches if switch.dpid is not None}
    for host in data_centre.hosts:
        to_host = (("eth_dst", str(host.mac)),)
        for switch, port in next_hops(graph, host.name, tables):
            tables[switch][to_host] = (TO_HOST, (port,))
    tree = spanning_tree(graph)
    for switch, table in tables.items():
        ports = sorted(out_port(graph, switch, neighbour) for neighbour in tree[switch])
        for in_port in ports:
            broadcast = (("in_port", in_port), ("eth_dst", GROUP_ADDRESSES))
            table[broadcast] = (BROADCAST, tuple(port for port in ports if port != in_port))
    return tables


def fabric(data_centre, links):
    """Return the graph of switches and hosts; of parallel links it has the first."""
    graph = nx.Graph()
    graph.add_nodes_from(node.name for node in (*data_centre.switches, *data_centre.hosts))
    for link in links:
        a, b = link.a.node, link.b.node
        if a in graph and b in graph and not graph.has_edge(a, b):
            graph.add_edge(a, b, link=link)
    return graph


def next_hops(graph, host, switches):
    """Yield each switch that can reach a host, with its port on a shortest path."""
    distance = nx.single_source_shortest_path_length(graph, host)
    for switch in switches:
        if switch in distance:
            nearer = [one for one in graph[switch] if distance[one] < distance[switch]]
            yield switch, out_port(graph, switch, min(nearer))


def spanning_tree(graph):
    """Return a tree that reaches whatever can be reached; one for each part if there are more."""
    tree = nx.Graph()
    tree.add_nodes_from(graph)
    for part in nx.connected_components(graph):
        tree.add_edges_from(nx.bfs_edges(graph, min(part), sort_neighbors=sorted))
    return tree


def out_port(graph, switch, neighbour):
    """Return the port of a switch that leads to a neighbour."""
    return graph.edges[switch, neighbour]["link"].end(switch).port
