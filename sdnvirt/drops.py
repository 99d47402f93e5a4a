"""The one list of reasons for which a frame can be lost.

Every frame that is not delivered ends with exactly one of these, at a named place. The table is
read by the ledger, the report, explanations, the documentation and the tests.
"""

from __future__ import annotations

from enum import Enum


class DropReason(Enum):
    """Why a frame was dropped; the value is the sentence that reports print."""

    # links and ports
    NO_LINK = "the port has no link"
    LINK_DOWN = "the link is down"
    INTERFACE_DOWN = "the interface is set down"
    CUT_IN_FLIGHT = "the link went down while the frame was on it"
    QUEUE_FULL = "the link's queue is full"
    LINK_MTU = "the frame is larger than the link's MTU allows"
    EARLY_DROP = "random early detection gave the frame up (RED)"
    STANDING_QUEUE = "the queue stood for too long (CoDel)"
    OVER_BURST = "the frame is larger than the token bucket"
    LINK_LOSS = "lost on the link"
    ONE_WAY = "the link is broken in this direction"
    LINK_RULE = "dropped by a fault rule on the link"
    NO_LOCAL_STACK = "no network stack is behind the switch's LOCAL port"
    # bridges (IEEE 802.1Q)
    VLAN_NOT_ALLOWED = "the VLAN is not allowed on the port it arrived at"
    TAG_NOT_ALLOWED = "a tagged frame arrived at an access port"
    UNTAGGED_NOT_ALLOWED = "an untagged frame arrived at a trunk without a native VLAN"
    NO_EGRESS = "no other port of the VLAN is up"
    SAME_PORT = "the destination is on the port that the frame came from"
    RESERVED_ADDRESS = "link-local addresses are not forwarded by a bridge (802.1Q, table 8-1)"
    # OpenFlow switches
    PORT_CLOSED = "the port's configuration does not let packets in"
    FRAGMENT_REFUSED = "the switch is set to drop IP fragments"
    TABLE_MISS = "no flow entry matched and the table has no table-miss entry"
    NO_LIVE_BUCKET = "no bucket of the group is alive"
    RESUBMIT_LIMIT = "the flow entries resubmit the packet too often"
    RECIRCULATION_LIMIT = "the packet went through connection tracking too often"
    REMARK_LIMIT = "the meters on the packet's way could remark it in too many ways"
    CONNTRACK_FULL = "no more connections can be tracked"
    METERED = "the meter's rate was exceeded"
    NO_OUTPUT = "the matching flow entry has no output"
    PACKET_IN_LOST = "no controller takes the packet-in"
    # routers and the IP fabric
    TTL_EXPIRED = "the time to live ran out"
    NO_ROUTE = "no route to the destination"
    TOO_BIG = "the packet is larger than the next link's MTU and must not be fragmented"
    NOT_FORWARDED = "packets from or to such addresses stay on their link"
    # tunnels
    ENCAP_TOO_BIG = "encapsulated, the packet is larger than the underlay's MTU"
    NO_TUNNEL_ID = "sent to a tunnel without a VNI"
    NO_TUNNEL_DESTINATION = "sent to a flow-based tunnel without a remote endpoint"
    VXLAN_FLAGS = "the VXLAN header has no valid VNI flag (RFC 7348, section 5)"
    UNKNOWN_VNI = "the VNI is not one of this VTEP's networks"
    UNKNOWN_VTEP = "the outer source is not a VTEP known here"
    NOT_VXLAN = "not a VXLAN packet for this VTEP"
    # hosts
    NOT_FOR_ME_L2 = "the destination MAC address is not this host's"
    NOT_FOR_ME_L3 = "the destination IP address is not this host's"
    NOT_MY_ARP = "the ARP packet is about somebody else's address"
    NOT_MY_ND = "the neighbour discovery message is about somebody else's address"
    HOP_LIMIT_NOT_255 = "a neighbour discovery message that crossed a router"
    MARTIAN = "nobody sends from the source address there"
    SOURCE_ROUTED = "source-routed packets are not taken"
    UNKNOWN_OPTION = "an IPv6 option that is not known forbids to take the packet"
    REDIRECT_IGNORED = "the redirect is not from the gateway in use, or is not to the link"
    GROUP_ECHO_LIMIT = "too many echo requests to groups came at once"
    UNKNOWN_PROTOCOL = "no handler for the protocol"
    ICMP_UNEXPECTED = "the ICMP answer or error is about nothing that the host waits for"
    PORT_UNREACHABLE = "no socket listens on the destination port"
    BAD_CHECKSUM = "a checksum is wrong"
    MALFORMED = "the bytes break the protocol's rules"
    FRAGMENT = "fragments are not reassembled"
    FRAGMENT_MISFIT = "the fragments of a packet overlap or contradict each other"
    FRAGMENT_DUPLICATE = "the fragment came twice"
    REASSEMBLY_TIMEOUT = "the other fragments of the packet did not come in time"
    REASSEMBLY_FULL = "too many packets wait for fragments"
    NEIGHBOUR_UNRESOLVED = "the next hop did not answer ARP or neighbour solicitations"
    NEIGHBOUR_QUEUE_FULL = "too many packets wait for the next hop's MAC address"
    NO_ADDRESS = "the host has no address yet"
    CRASHED = "the host crashed while it held the frame"
    # TCP
    SEGMENT_UNACCEPTABLE = "the TCP segment lies outside the receive window"
    SEGMENT_STALE = "the TCP segment's timestamp is missing or too old (RFC 7323, section 5)"
    SEGMENT_CHALLENGED = "the TCP segment could be forged: a challenge ACK (RFC 5961)"
    SEGMENT_UNEXPECTED = "the TCP segment does not fit the state of its connection"
    STREAM_GAPS = "the TCP segment would leave too many gaps in the stream"
    CONNECTIONS_FULL = "the host keeps no more TCP connections"
