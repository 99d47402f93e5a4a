"""OVSDB, the protocol by which Open vSwitch is configured (RFC 7047), for live hypervisors.

``framing``, ``values``, ``schema``, ``database``, ``operations`` and ``session`` are pure: bytes
in, bytes out. ``switch_tables`` keeps the tables and a hypervisor in step; ``server`` owns the
socket. What of the RFC is there and what is not: docs/ovsdb.md.
"""
