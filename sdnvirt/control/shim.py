"""What stock Ryu 4.34 needs on a Python, an eventlet and an ovs of today.

``ryu.app.wsgi`` wants ``eventlet.wsgi.ALREADY_HANDLED``, which eventlet 0.33 took away, and two
modules want ``distutils.version``, which Python 3.12 took away. ``ryu.lib.ovs.vsctl`` wants
``ovs.db.idl._uuid_to_row``, which is a method in later versions of ovs.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import total_ordering
from types import ModuleType
from typing import Any


@contextmanager
def quiet_import() -> Iterator[None]:
    """Import eventlet and Ryu without warnings, and quickly.

    Warnings are about Ryu's age and would reach every user. dnspython's resolver (0.2 s) would
    replace the system's for greenlets, which nothing embedded uses. The collector would walk the
    100,000 objects of Ryu's parsers again and again while they come to life.
    """
    resolver = os.environ.get("EVENTLET_NO_GREENDNS")
    os.environ["EVENTLET_NO_GREENDNS"] = "yes"
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if collecting:
            gc.enable()
        if resolver is None:
            del os.environ["EVENTLET_NO_GREENDNS"]
        else:
            os.environ["EVENTLET_NO_GREENDNS"] = resolver


@contextmanager
def removed_names() -> Iterator[None]:
    """Give Ryu, while it is imported, the two names that it misses.

    The stand-in for distutils is taken away again, so that nobody else meets it. Where distutils
    does exist, setuptools puts its own in its place, which takes 0.15 s to import.
    """
    import eventlet.wsgi

    if not hasattr(eventlet.wsgi, "ALREADY_HANDLED"):
        eventlet.wsgi.ALREADY_HANDLED = []
    if "distutils" in sys.modules:
        yield
        return
    package, version = ModuleType("distutils"), ModuleType("distutils.version")
    vars(package)["version"] = version
    vars(version)["LooseVersion"] = LooseVersion
    stand_ins = {module.__name__: module for module in (package, version)}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]


def complete_ovs() -> None:
    """Give the package ovs the function that Ryu calls in it, if an app has imported it."""
    idl = sys.modules.get("ovs.db.idl")
    if idl is not None and not hasattr(idl, "_uuid_to_row"):
        vars(idl)["_uuid_to_row"] = _uuid_to_row


def _uuid_to_row(atom: Any, base: Any) -> Any:
    """Return the row that a UUID of a column refers to, or what the column holds itself."""
    return base.ref_table.rows.get(atom) if base.ref_table else atom


@total_ordering
class LooseVersion:
    """A version number compared part by part; Ryu compares those of FRRouting."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts = re.findall(r"[0-9]+|[a-z]+", text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LooseVersion) and self._key() == other._key()

    def __lt__(self, other: LooseVersion) -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        return self._text

    def _key(self) -> tuple[tuple[int, str], ...]:
        # Words come before numbers: 2.0rc1 is older than 2.0.1.
        return tuple((int(part), "") if part.isdigit() else (-1, part) for part in self._parts)
