"""The host room: the network stack of an emulated host, and the programs that run on it.

Protocols (neighbour cache, DHCP client) are pure machines; :mod:`sdnvirt.host.interface` and
:mod:`sdnvirt.host.stack` connect them to ports and virtual time. The stack reaches its protocols
through two tables, by EtherType and by IP protocol, so that one more protocol is one more row.
"""
