"""Loading Ryu apps as ``ryu-manager`` does, in an order that does not depend on hashing.

Ryu's own manager walks sets of required services, so the order of its apps, and with it the order
of their messages, differs between runs. Handshakes come first here, then the apps as given, each
followed by the services that it needs.
"""

from __future__ import annotations

import inspect
import os
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from sdnvirt.control.blame import Blame
from sdnvirt.control.logs import RyuLog
from sdnvirt.control.modules import AppModules, is_file
from sdnvirt.control.stock_ryu import app_manager, handler
from sdnvirt.errors import ControllerError

HANDSHAKE: Final = "ryu.controller.ofp_handler"


class Apps(app_manager.AppManager):  # type: ignore[misc]  # Ryu has no types
    """Ryu's manager of apps for one run.

    Args:
        modules: imports them.
        blame: learns which file belongs to which app.
        log: hears what they log.
    """

    def __init__(self, modules: AppModules, blame: Blame, log: RyuLog) -> None:
        super().__init__()
        self._modules = modules
        self._blame = blame
        self._log = log

    def load_apps(self, app_lists: Sequence[str]) -> None:
        """Import the apps and what they require, and find their classes and contexts.

        Raises:
            ControllerError: an app or service cannot be loaded.
        """
        waiting = deque([HANDSHAKE, *app_lists])
        while waiting:
            name = waiting.popleft()
            contexts = [cls.__module__ for cls in self.contexts_cls.values()]
            if name in self.applications_cls or name in contexts:
                continue
            cls = self.load_app(name)
            self.applications_cls[name] = cls
            required = set(handler.get_dependent_services(cls))
            for key, context in cls.context_iteritems():
                if self.contexts_cls.setdefault(key, context) is not context:
                    raise ControllerError(
                        f"app {cls.__name__}: another app has a different context {key!r}"
                    )
                required.discard(context.__module__)
                if issubclass(context, app_manager.RyuApp):
                    required.update(handler.get_dependent_services(context))
            waiting.extend(sorted(required))

    def load_app(self, name: str) -> Any:
        """Import one app and return its class: the first that its own module defines."""
        file = self._modules.find(name)
        label = os.path.basename(file).removesuffix(".py")
        self._blame.claim(file, label)
        if is_file(name):
            self._blame.claim(os.path.dirname(file), label)
        try:
            module = self._modules.load(name)
        except Exception as error:
            raise self._blame.error(error, label) from error
        own = [
            cls
            for _, cls in inspect.getmembers(module, inspect.isclass)
            if issubclass(cls, app_manager.RyuApp) and cls.__module__ == module.__name__
        ]
        if not own:
            raise ControllerError(
                f"{name}: app {label} has no class derived from ryu.base.app_manager.RyuApp"
            )
        self._log.listen_to(module.__name__)
        return own[0]

    def boot(self, apps: Sequence[str]) -> None:
        """Instantiate the loaded apps and their contexts, and start them.

        Raises:
            ControllerError: an app or context raised.
        """
        try:
            self.instantiate_apps(**self.create_contexts())
        except Exception as error:
            raise self._blame.error(error, ", ".join(apps)) from error

    def _instantiate(self, app_name: str | None, cls: Any, *args: Any, **kwargs: Any) -> Any:
        name = getattr(cls, "LOGGER_NAME", None) or cls.__name__
        self._log.listen_to(name)
        app = super()._instantiate(app_name, cls, *args, **kwargs)
        self._log.keep_to_itself(name)
        return app
