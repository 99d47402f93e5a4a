"""The functions room: network functions, which are hosts that serve a tenant network.

Each is two files: the protocol as a pure machine, and a thin driver that runs it on a host.
"""
