"""One client's connection: JSON-RPC requests in, answers and updates out (RFC 7047, 4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from sdnvirt.control.ovsdb.database import Changes, Database
from sdnvirt.control.ovsdb.errors import OvsdbError, syntax_error
from sdnvirt.control.ovsdb.framing import MessageStream, encode
from sdnvirt.control.ovsdb.monitor import Monitor
from sdnvirt.control.ovsdb.operations import transact
from sdnvirt.control.ovsdb.schema import DATABASE, SCHEMA
from sdnvirt.control.ovsdb.values import shown

MONITORS_LIMIT: Final = 16
"""Monitors of one connection; ovs-vsctl has one."""

UNKNOWN_METHOD: Final = "unknown method"
"""What is answered to a method that is not here; clients of Open vSwitch then use an older one."""


class Session:
    """A client and what it monitors.

    Args:
        database: the tables.
        send: takes bytes for the client.
    """

    def __init__(self, database: Database, send: Callable[[bytes], None]) -> None:
        self._database = database
        self._send = send
        self._stream = MessageStream()
        self._monitors: dict[str, tuple[Any, Monitor]] = {}
        database.observers.append(self._tell)

    def feed(self, data: bytes) -> None:
        """Take bytes from the client, and answer the requests in them.

        Raises:
            MalformedError: they are no JSON-RPC; nothing more can be understood.
        """
        for message in self._stream.feed(data):
            method, identifier = message.get("method"), message.get("id")
            if not isinstance(method, str):
                continue  # an answer, and nothing was asked
            result: Any = None
            error: Any = None
            try:
                result = self._answer(method, message.get("params"))
            except OvsdbError as refused:
                error = refused.to_json()
            except _UnknownMethodError:
                error = UNKNOWN_METHOD
            if identifier is not None:  # else it is a notification
                self._send(encode({"id": identifier, "result": result, "error": error}))

    def close(self) -> None:
        """The connection is gone; tell the client nothing more."""
        self._monitors.clear()
        if self._tell in self._database.observers:
            self._database.observers.remove(self._tell)

    def _answer(self, method: str, params: Any) -> Any:
        handler = _METHODS.get(method)
        if handler is None:
            raise _UnknownMethodError
        if not isinstance(params, list):
            raise syntax_error(f"{method}: params is no array")
        return handler(self, params)

    def _tell(self, changes: Changes) -> None:
        for identifier, monitor in list(self._monitors.values()):
            updates = monitor.updates(changes)
            if updates:
                self._send(
                    encode({"id": None, "method": "update", "params": [identifier, updates]})
                )

    # the methods (4.1)

    def _echo(self, params: list[Any]) -> Any:
        return params

    def _list_dbs(self, _params: list[Any]) -> Any:
        return [DATABASE]

    def _get_schema(self, params: list[Any]) -> Any:
        _expect_database(params)
        return SCHEMA

    def _transact(self, params: list[Any]) -> Any:
        _expect_database(params)
        return transact(self._database, params[1:])

    def _monitor(self, params: list[Any]) -> Any:
        _expect_database(params)
        if len(params) != 3:
            raise syntax_error("monitor: expected a database, an identifier and requests")
        key = json.dumps(params[1], sort_keys=True)
        if key in self._monitors:
            raise OvsdbError("duplicate monitor ID", shown(params[1]))
        if len(self._monitors) == MONITORS_LIMIT:
            raise OvsdbError("resources exhausted", f"more than {MONITORS_LIMIT} monitors")
        monitor = Monitor(params[2])
        self._monitors[key] = params[1], monitor
        return monitor.initial(self._database)

    def _monitor_cancel(self, params: list[Any]) -> Any:
        key = json.dumps(params[0], sort_keys=True) if len(params) == 1 else ""
        if self._monitors.pop(key, None) is None:
            raise OvsdbError("unknown monitor", shown(params))
        return {}

    def _cancel(self, _params: list[Any]) -> Any:
        return None  # every transaction has been answered already


class _UnknownMethodError(Exception):
    """There is no such method here."""


def _expect_database(params: list[Any]) -> None:
    if not params or params[0] != DATABASE:
        raise OvsdbError("unknown database", shown(params[:1]))


_METHODS: Final[dict[str, Callable[[Session, list[Any]], Any]]] = {
    "echo": Session._echo,
    "list_dbs": Session._list_dbs,
    "get_schema": Session._get_schema,
    "transact": Session._transact,
    "monitor": Session._monitor,
    "monitor_cancel": Session._monitor_cancel,
    "cancel": Session._cancel,
}
