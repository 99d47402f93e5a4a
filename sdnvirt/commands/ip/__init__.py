"""The command ip of iproute2, an object a module: addresses, links, routes, neighbours."""
