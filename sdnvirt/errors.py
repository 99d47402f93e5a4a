"""The exception tree.

::

    SdnvirtError
    ├── UserError            what the user got wrong: a file, a flag, an app   -> exit status 2
    │   ├── TopologyError    a topology file; carries every problem found in it
    │   ├── ControllerError  a controller app or its address
    │   ├── StuckError       virtual time stands still (engine/scheduler.py)
    │   └── OutputError      a file or folder that cannot be written
    ├── InvariantError       a network did not keep what every network must; carries each breach
    └── WireError            bytes that break a protocol's rules (a peer's mistake)
        ├── TruncatedError   the bytes end before the value does
        └── MalformedError   a length, version or code that the protocol does not allow

The user's mistakes say where, what was found and what was expected, and are never shown as a
traceback. A peer's mistakes never leave the layer that parses: they become a counted drop, an ICMP
error or an OpenFlow error. Our own mistakes are plain assertions and are not in this tree.
"""

from __future__ import annotations


class SdnvirtError(Exception):
    """Anything that sdnvirt raises on purpose."""


class UserError(SdnvirtError):
    """A mistake of the user's, told in one line that names the thing, what it is and should be."""


class TopologyError(UserError):
    """A topology that cannot be built; ``problems`` holds one line for each mistake found."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ControllerError(UserError):
    """A controller app that cannot be loaded or that raised, or a controller out of reach."""


class OutputError(UserError):
    """A file or folder that was to be written and cannot be."""


class InvariantError(SdnvirtError):
    """A network in which something does not hold that must; ``broken`` holds a line for each."""

    def __init__(self, broken: list[str]) -> None:
        super().__init__("\n".join(broken))
        self.broken = broken


class WireError(SdnvirtError):
    """Bytes that break the rules of the protocol they claim to be."""


class TruncatedError(WireError):
    """The bytes end before the value does."""


class MalformedError(WireError):
    """A length, version, type or code that the protocol does not allow."""
