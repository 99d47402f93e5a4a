"""Controllers: stock Ryu embedded in virtual time, and any OpenFlow controller over TCP.

This is the only place that knows Ryu or opens a socket.
"""
