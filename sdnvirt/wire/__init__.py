"""The wire room: protocols as bytes and values, one file for each protocol.

Every file has the same sections: what it is and which specification says so, constants, the value
with ``parse`` and ``emit``, and its short text form as tcpdump would print it. Nothing here knows
time, randomness or I/O. Bytes that break a protocol's rules raise :class:`sdnvirt.errors.WireError`
and nothing else; values that our own code gets wrong fail an assertion.
"""
