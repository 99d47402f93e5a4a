"""Topology: from a file to a frozen description of a virtual data centre; no live objects."""
