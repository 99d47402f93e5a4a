"""Stock Ryu, imported once: the modules that the embedded controller builds on.

Importing this costs about half a second, so nothing imports it that may not need a controller.
The same modules as in ``ryu.cmd.manager`` come first, because they register Ryu's options; that
module itself is never imported here, because it monkey-patches the process.
"""

from __future__ import annotations

from sdnvirt.control.hub import VirtualHub, installed
from sdnvirt.control.shim import quiet_import, removed_names


def _uncaught(error: BaseException) -> None:
    raise error


# ryu.lib.hub sleeps for an instant while it is imported, so there must be a hub already.
with quiet_import(), removed_names(), installed(VirtualHub(_uncaught)):
    from ryu import cfg as cfg
    from ryu import flags as flags
    from ryu import log as log
    from ryu.app import wsgi as wsgi
    from ryu.base import app_manager as app_manager
    from ryu.controller import controller as controller
    from ryu.controller import handler as handler
    from ryu.controller import ofp_handler as ofp_handler
    from ryu.lib import addrconv as addrconv
    from ryu.lib import hub as hub
    from ryu.lib import type_desc as type_desc
    from ryu.ofproto import ofproto_protocol as ofproto_protocol
    from ryu.topology import switches as switches
