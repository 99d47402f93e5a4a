"""What Ryu and its apps log: lines for the user, and the only trace of many of their errors.

Ryu catches whatever a handler raises and logs it. So the handler here looks for the exception
behind a record, which otherwise would be lost.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Final

from sdnvirt.units import format_time

_MANAGER: Final = "ryu.base.app_manager"

_CATCHERS: Final = (_MANAGER, "ryu.lib.hub", "ryu.controller.controller")
"""Loggers of the places where Ryu catches everything: handlers, greenlets, connections."""


class RyuLog(logging.Handler):
    """Listens to loggers for one run.

    Args:
        now: returns the virtual time in ns.
        level: records below are not asked for, in the numbers of ``logging``.
        write: called with each line: virtual time, level, logger, message.
        caught: called with each exception that Ryu caught, and the name of the app or None.
    """

    def __init__(
        self,
        now: Callable[[], int],
        level: int,
        write: Callable[[str], None],
        caught: Callable[[BaseException, str | None], None],
    ) -> None:
        super().__init__(level)
        self._now = now
        self._write = write
        self._caught = caught
        self._before: dict[str, tuple[int, bool, list[logging.Handler]]] = {}
        self._formatters: dict[str, logging.Formatter] = {}

    def listen_to(self, name: str) -> None:
        """Attach to a logger; those below ``ryu`` are heard through it."""
        if name in self._before or (name.startswith("ryu.") and "ryu" in self._before):
            return
        logger = logging.getLogger(name)
        self._before[name] = logger.level, logger.propagate, list(logger.handlers)
        logger.setLevel(self.level)
        logger.addHandler(self)

    def keep_to_itself(self, name: str) -> None:
        """Let a logger write to the terminal no more, but keep the form that it has chosen."""
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            if type(handler) is logging.StreamHandler:
                logger.removeHandler(handler)
                if handler.formatter is not None:
                    self._formatters[name] = handler.formatter

    def detach(self) -> None:
        """Leave every logger as it was; apps, too, may have changed their own."""
        for name, (level, propagate, handlers) in self._before.items():
            logger = logging.getLogger(name)
            logger.setLevel(level)
            logger.propagate = propagate
            logger.handlers[:] = handlers
        self._before.clear()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        error = sys.exc_info()[1]
        if error is not None and record.name in _CATCHERS:
            # The manager names the app first: "%s: Exception occurred during handler ...".
            arguments = record.args if isinstance(record.args, tuple) else ()
            app = str(arguments[0]) if record.name == _MANAGER and arguments else None
            self._caught(error, app)
            return
        own = self._formatters.get(record.name)
        text = record.getMessage() if own is None else own.format(record)
        self.write_line(record.levelname, f"{record.name}: {text}")

    def write_line(self, level: str, text: str) -> None:
        """Write a line with the virtual time."""
        self._write(f"{format_time(self._now())} {level} {text}")
