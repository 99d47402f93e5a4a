"""The host room: the network stack of an emulated host, and the programs that run on it.

Protocols (neighbour cache, reassembly, path MTUs, DHCP client) are pure machines; what runs them
connects them to ports and virtual time. How a packet goes out and comes in, in the same way for
IPv4 and IPv6::

    transport -- ip.path(dst) --> Path.send --> Resolver --> Interface.transmit --> Port
    Port --> Host.take -- ETHERTYPES --> ipv4/ipv6.receive -- IP_PROTOCOLS --> transport
                                                  ICMP errors -- ERROR_HANDLERS --> transport

The stack reaches its protocols through tables, so that one more protocol is one more row: by
EtherType in :mod:`~sdnvirt.host.stack`, by IP protocol in :mod:`~sdnvirt.host.protocols`, and for
errors about what a protocol sent in :mod:`~sdnvirt.host.transport_errors`.
"""
