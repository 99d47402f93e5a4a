"""Virtualization: tunnel endpoints, hypervisors, virtual machines, and the watch over isolation."""
