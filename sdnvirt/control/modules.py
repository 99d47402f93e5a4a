"""Importing the files and modules of controller apps, and forgetting them afterwards.

Every run gets fresh modules, so nothing an app keeps in a module or a class outlives its network,
and two apps in different folders may both have a neighbour called ``policy.py``.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from types import CodeType, ModuleType
from typing import Any, Final

from sdnvirt.errors import ControllerError

_STATELESS: Final = ("ryu.lib.packet", "ryu.ofproto")
"""Packages of Ryu that are expensive to import and keep nothing of a run."""


class _SourceLoader(SourceFileLoader):
    """Compiles a file as it is now; cached code is told from its source by seconds only."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def is_file(app: str) -> bool:
    """Return whether an app is named by a path rather than as a module."""
    return app.endswith(".py") or os.sep in app


class AppModules:
    """Imports the modules of one run's apps."""

    def __init__(self) -> None:
        self._before = dict(sys.modules)
        self._folders: list[str] = []

    def find(self, app: str) -> str:
        """Return the source file of an app.

        Raises:
            ControllerError: there is no such file or module.
        """
        if is_file(app):
            if not os.path.isfile(app):
                raise ControllerError(f"controller app {app}: no such file")
            return os.path.abspath(app)
        try:
            spec = find_spec(app)
        except (ImportError, ValueError):  # ValueError: a name such as ".x"
            spec = None
        if spec is None or spec.origin is None:
            raise ControllerError(
                f"controller app {app}: no module of that name; "
                "expected a file such as ./app.py or a module such as ryu.app.simple_switch_13"
            )
        return spec.origin

    def load(self, app: str) -> ModuleType:
        """Import an app that exists; raises whatever the app raises."""
        if is_file(app):
            return self._load_file(os.path.abspath(app))
        return importlib.import_module(app)

    def substitute(self, table: Mapping[int, Any]) -> list[tuple[ModuleType, str, Any]]:
        """Replace objects, given by identity, in Ryu's modules and the apps'; return the originals.

        Returns: module, name and original value of everything replaced.
        """
        originals = []
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "ryu" or self._is_local(name, module):
                for attribute, value in list(vars(module).items()):
                    if id(value) in table:
                        originals.append((module, attribute, value))
                        setattr(module, attribute, table[id(value)])
        return originals

    def forget(self) -> None:
        """Remove what was imported since the beginning and may keep state of the run."""
        for name, module in list(sys.modules.items()):
            if self._before.get(name) is not module and (
                self._is_stateful_ryu(name) or self._is_local(name, module)
            ):
                del sys.modules[name]
                self._detach(name)
                if name in self._before:
                    sys.modules[name] = self._before[name]

    def _load_file(self, file: str) -> ModuleType:
        folder, base = os.path.split(file)
        self._folders.append(folder)
        name = base.removesuffix(".py")
        spec = spec_from_file_location(name, file, loader=_SourceLoader(name, file))
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        importlib.invalidate_caches()
        sys.path.append(folder)  # an app may import its neighbours, but not in place of others
        try:
            spec.loader.exec_module(module)
        finally:
            sys.path.remove(folder)
        return module

    def _is_local(self, name: str, module: ModuleType) -> bool:
        """Return whether a module is an app's file or a neighbour of one."""
        top = sys.modules.get(name.partition(".")[0], module)
        file = getattr(top, "__file__", None)
        if file is None or top is self._before.get(name.partition(".")[0]):
            return False
        folder = os.path.dirname(file)
        if os.path.basename(file) == "__init__.py":
            folder = os.path.dirname(folder)
        return folder in self._folders and top.__name__ != "sdnvirt"

    @staticmethod
    def _is_stateful_ryu(name: str) -> bool:
        return name.partition(".")[0] == "ryu" and not name.startswith(_STATELESS)

    @staticmethod
    def _detach(name: str) -> None:
        """Remove a module from its package, where ``from package import module`` looks first."""
        package, _, attribute = name.rpartition(".")
        if package in sys.modules:
            vars(sys.modules[package]).pop(attribute, None)
