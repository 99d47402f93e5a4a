"""TCP of a host (RFC 9293): machines without time or network of their own, and their binding.

::

    states      the table of states and transitions
    sequence    numbers of 32 bits on the wire, integers that never wrap inside
    parameters  what an owner may choose, and the limits
    rtt  congestion  cubic              when to send again, and how much at once
    send_buffer  scoreboard  sender     one side of a connection
    reassembly  receiver                the other side
    connection                          both, with the states: one end of a connection
    cookies  listener  demux            the ends of a host, and whom a segment belongs to
    service                             callbacks, virtual time and the host's IP layer
"""
