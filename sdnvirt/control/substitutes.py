"""What takes the place of functions and classes of Ryu's while it runs embedded.

Apps do not notice: each gives the results of the original, sooner or in a fixed order, and the
tests hold it against the original. Only the listener is another: there is nothing to listen at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sdnvirt.control import mac_conversion, oxm_conversion
from sdnvirt.control.stock_ryu import addrconv, hub, ofp_handler, ofproto_protocol, type_desc
from sdnvirt.control.waiting import VirtualEvent, VirtualQueue

Substitute = tuple[Any, str, Any]
"""A module or class, the name of its attribute, and what takes its place."""


def substitutes() -> Iterator[Substitute]:
    """Yield what is replaced; put each in place before asking for the next, which may use it."""
    to_bin = mac_conversion.text_to_bin(addrconv.mac.text_to_bin)
    to_text = mac_conversion.bin_to_text(addrconv.mac.bin_to_text)
    yield addrconv.mac, "text_to_bin", to_bin
    yield addrconv.mac, "bin_to_text", to_text
    yield type_desc.MacAddr, "from_user", to_bin
    yield type_desc.MacAddr, "to_user", to_text
    for ofproto, _parser in ofproto_protocol._versions.values():
        if hasattr(ofproto, "oxm_types"):
            for name, function in oxm_conversion.conversions(ofproto, type_desc).items():
                yield ofproto, name, function
    yield ofp_handler, "OpenFlowController", NoListener
    yield hub, "Queue", VirtualQueue
    yield hub.eventlet.event, "Event", VirtualEvent


class NoListener:
    """In place of Ryu's listener: switches connect through :meth:`EmbeddedController.connect`."""

    def __call__(self) -> None:
        """Return at once."""
