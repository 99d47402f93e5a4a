"""sdnvirt: a software-defined network virtualization emulator.

A virtual data centre in one Python process: ``net = sdnvirt.load("topologies/quickstart.yaml")``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdnvirt.session import load

__all__ = ["__version__", "load"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Loading a network needs much that `import sdnvirt` should not pay for.
    if name == "load":
        from sdnvirt.session import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
