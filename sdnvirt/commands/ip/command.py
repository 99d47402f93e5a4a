"""The command ip: which object is meant, by any beginning of its name."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from typing import Final

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.commands.command import Command, Failure, Surroundings, add_family
from sdnvirt.commands.ip.address import address
from sdnvirt.commands.ip.link import link
from sdnvirt.commands.ip.neighbour import neighbour
from sdnvirt.commands.ip.objects import Asked, Words
from sdnvirt.commands.ip.route import route
from sdnvirt.commands.options import Options

Object = Callable[[Words, Asked, Surroundings], None]

OBJECTS: Final[dict[str, Object]] = {
    "address": address,
    "link": link,
    "route": route,
    "neighbour": neighbour,
    "neighbor": neighbour,
}
"""The objects; as in iproute2 any beginning of a name means the first that begins so."""


class Ip(Command):
    """ip: addresses, links, routes and neighbours."""

    summary = "show and change addresses, routes and neighbours"

    def options(self, name: str) -> Options:
        """Return the options of iproute2's ip that mean something here."""
        options = Options(name, self.summary)
        add_family(options)
        options.add_argument("-s", dest="statistics", action="store_true", help="with counters")
        options.add_argument("-br", dest="brief", action="store_true", help="one line each")
        options.add_argument("object", help=", ".join(OBJECTS))
        options.add_argument("words", nargs=argparse.REMAINDER, help="what is to be done with it")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Do what is asked of an object."""
        family = Ipv6 if given.ipv6 else Ipv4 if given.ipv4 else None
        wanted = next((one for one in OBJECTS if one.startswith(given.object)), None)
        if wanted is None:
            raise Failure(f'Object "{given.object}" is unknown, try "ip help".', 1)
        asked = Asked(family, given.statistics, given.brief)
        OBJECTS[wanted](Words(given.words), asked, at)
        return 0
