"""Devices and what joins them: ports, links, fault rules, bridges, IP routers, switches."""
