"""Stock Ryu and its apps inside the emulator, in virtual time.

Ryu's own handshake, queues and event loops run unmodified, on an eventlet hub whose clock is the
scheduler's. The network goes on only when the controller is idle; the controller's thinking takes
no virtual time. Given the same bytes it answers with the same bytes, at the same instants.

Ryu keeps its apps, its options and its hub in module globals, so one embedded controller at a time
can live in a process. :meth:`EmbeddedController.stop` leaves those globals as they were.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, ClassVar

from sdnvirt.control.apps import Apps
from sdnvirt.control.backoff import Backoff
from sdnvirt.control.blame import Blame
from sdnvirt.control.hub import SpinError, VirtualHub, installed
from sdnvirt.control.logs import RyuLog
from sdnvirt.control.modules import AppModules
from sdnvirt.control.options import config_file, parse, registered_options
from sdnvirt.control.rest import ANSWER_LIMIT_NS, Exchange, RestAnswer
from sdnvirt.control.stand_ins import stand_ins
from sdnvirt.control.stock_ryu import (
    app_manager,
    cfg,
    controller,
    hub,
    ofproto_protocol,
)
from sdnvirt.control.substitutes import substitutes
from sdnvirt.control.virtual_time import VirtualTime
from sdnvirt.control.vsocket import Outbox, VirtualSocket
from sdnvirt.engine.companion import Companion
from sdnvirt.engine.scheduler import NEVER, Scheduler
from sdnvirt.errors import ControllerError
from sdnvirt.units import format_time


def _discard(_line: str) -> None:
    pass


class EmbeddedController(Companion):
    """Ryu with some apps, as a companion of the network.

    Args:
        scheduler: the network's virtual time.
        apps: modules such as ``ryu.app.simple_switch_13``, or paths of Python files, in the order
            in which they start.
        seed_stream: what Ryu and the apps get for the module ``random``.
        topology_path: the file that apps find in ``CONF.sdnvirt.topology``, or None.
        on_app_error: called with the first error that an app raises after :meth:`start`; the
            cause holds the traceback. Later ones are only logged.
        log: called with each line that Ryu or an app logs, with its virtual time.
        log_level: the least severe records to log, in the numbers of the module ``logging``.
        options: more options of ``ryu-manager``, such as ``("--observe-links",)``.
    """

    _alive: ClassVar[EmbeddedController | None] = None

    def __init__(
        self,
        scheduler: Scheduler,
        apps: Sequence[str],
        *,
        seed_stream: random.Random,
        topology_path: str | None,
        on_app_error: Callable[[ControllerError], None],
        log: Callable[[str], None] = _discard,
        log_level: int = logging.WARNING,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(scheduler)
        self.first_error: ControllerError | None = None
        self._names = tuple(apps)
        self._options = tuple(options)
        self._random = seed_stream
        self._topology_path = topology_path
        self._on_app_error = on_app_error
        self._hub = VirtualHub(self._caught)
        self._time = VirtualTime(lambda: self._hub.now, hub.sleep)
        self._blame = Blame()
        self._log = RyuLog(lambda: self._hub.now, log_level, log, self._caught)
        self._modules = AppModules()
        self._apps = Apps(self._modules, self._blame, self._log)
        self._outbox: Outbox = deque()
        self._sockets: list[VirtualSocket] = []
        self._waiting: list[Callable[[], None]] = []
        self._backoffs: dict[int, Backoff] = {}
        self._undo = ExitStack()
        self._booted = False
        self._stuck = False
        self._frozen = False
        self._ending = False
        self._untold: ControllerError | None = None

    def start(self) -> None:
        """Load the apps and start them.

        Raises:
            ControllerError: an app is missing, cannot be imported, has no app class or raises in
                its constructor; or another embedded controller runs in this process.
        """
        if EmbeddedController._alive is not None:
            raise ControllerError(
                "another network of this process has an embedded controller; stop that one first"
            )
        EmbeddedController._alive = self
        try:
            self._take_globals()
            self._hub.spawn(self._boot)
            deadline = self._run_hub(self.scheduler.now)
            if self._untold is not None:
                raise self._untold
        except BaseException:
            self.stop()
            raise
        if deadline != NEVER:
            self.wake(deadline)

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> EmbeddedSide:
        """Connect a switch; see :class:`sdnvirt.devices.agent.ControllerPort`.

        The callbacks run in the emulator, at the instant at which the controller sends or closes.
        """
        now = self.scheduler.now
        own = VirtualSocket(self._hub, self._outbox, deliver, closed)
        dial_at = self._backoffs.setdefault(dpid, Backoff()).next_dial(now)
        self._sockets.append(own)
        self.scheduler.call_at(dial_at, self._serve, (own, dpid))
        return EmbeddedSide(self, own)

    def rest(self, method: str, path: str, body: Any = None) -> RestAnswer:
        """Send a REST app a request, and let virtual time pass until it is answered.

        Not to be called from inside the run, such as from a callback.

        Args:
            method: the HTTP method, such as ``"GET"``.
            path: the path, such as ``"/stats/switches"``, with its query.
            body: a value that is sent as JSON; text and bytes are sent as they are.

        Returns:
            the HTTP status and the body: the value that the JSON says, or else text.

        Raises:
            ControllerError: no app offers REST, or the app raised or did not answer within
                ANSWER_LIMIT_NS.
        """
        exchange = Exchange(self._apps.contexts, method, path, body)

        def serve() -> None:
            exchange.run()
            self.scheduler.stop()

        self._hub.spawn(serve)
        self.wake()
        end = self.scheduler.now + ANSWER_LIMIT_NS
        while exchange.answer is None:
            if exchange.error is not None:
                raise self._blame.error(exchange.error)
            if self.first_error is not None:
                raise self.first_error
            if self.scheduler.run_until(end):
                limit = format_time(ANSWER_LIMIT_NS)
                raise ControllerError(f"{method} {path}: no app has answered within {limit}")
        return exchange.answer

    def pump(self, now: int) -> int:
        """Run Ryu until it is idle; return its next deadline (ns) or NEVER.

        Raises:
            ControllerError: an app never lets time pass.
        """
        if EmbeddedController._alive is not self or self._frozen:
            return NEVER
        deadline = self._run_hub(now)
        untold, self._untold = self._untold, None
        if untold is not None:
            self._on_app_error(untold)
        return deadline

    def freeze(self) -> None:
        """Do nothing until :meth:`thaw`, as a process that is stopped."""
        self._frozen = True

    def thaw(self) -> None:
        """Go on; what has happened meanwhile is found at once."""
        self._frozen = False
        self.wake()

    def stop(self) -> None:
        """Stop the apps and leave Ryu as if it had never run; does nothing the second time."""
        if EmbeddedController._alive is not self:
            return
        self._ending = True
        if not self._stuck:
            with suppress(SpinError):
                self._hub.spawn(self._apps.close)
                self._hub.pump(self._hub.now)
                for connection in self._sockets:
                    connection.hang_up()
                self._hub.pump(self._hub.now)
        self._outbox.clear()
        self._hub.discard()
        self._undo.close()
        EmbeddedController._alive = None

    def _take_globals(self) -> None:
        """Put our own in place of Ryu's globals; ``self._undo`` brings them back."""
        undo = self._undo
        undo.enter_context(installed(self._hub))
        undo.enter_context(registered_options(cfg.CONF))
        undo.callback(self._modules.forget)
        undo.callback(self._log.detach)
        undo.callback(app_manager.SERVICE_BRICKS.clear)
        self._replace(app_manager.AppManager, "_instance", self._apps)
        self._replace(ofproto_protocol, "_supported_versions", set(ofproto_protocol._versions))
        for owner, name, value in substitutes():
            self._replace(owner, name, value)
        self._log.listen_to("ryu")

    def _replace(self, owner: Any, name: str, value: Any) -> None:
        self._undo.callback(setattr, owner, name, getattr(owner, name))
        setattr(owner, name, value)

    def _boot(self) -> None:
        with config_file(self._topology_path) as file:
            parse(cfg.CONF, ["--config-file", file], self._options)
        self._apps.load_apps(self._names)
        for module, name, original in self._modules.substitute(stand_ins(self._time, self._random)):
            self._undo.callback(setattr, module, name, original)
        self._apps.boot(self._names)
        self._booted = True
        for serve in self._waiting:
            self._hub.spawn(serve)

    def _run_hub(self, now: int) -> int:
        try:
            deadline = self._hub.pump(now)
        except SpinError as error:
            self._stuck = True
            raise self._blame.spinning(error.frames) from error
        outbox = self._outbox
        while outbox:
            tell, what = outbox.popleft()
            tell(what)
        return deadline

    def _serve(self, connection: tuple[VirtualSocket, int]) -> None:
        """Let Ryu serve a switch's connection; later if the apps have not started yet."""
        own, dpid = connection

        def serve() -> None:
            try:
                controller.datapath_connection_factory(own, ("127.0.0.1", dpid))
            finally:
                self._sockets.remove(own)

        if self._booted:
            self._hub.spawn(serve)
            self.wake()
        else:
            self._waiting.append(serve)

    def _caught(self, error: BaseException, app: str | None = None) -> None:
        """Take note of what an app raised and Ryu or eventlet caught."""
        if isinstance(error, KeyboardInterrupt):
            self._hub.fail(error)
            return
        if self.first_error is not None and self.first_error.__cause__ is error:
            return
        if self._ending:
            return  # Ryu's own apps stumble over each other when they are closed
        told = self._blame.error(error, app)
        if self.first_error is None:
            self.first_error = self._untold = told
        else:
            self._log.write_line("ERROR", str(told))


class EmbeddedSide:
    """The controller's side of one switch's connection."""

    __slots__ = ("_controller", "_socket")

    def __init__(self, controller: EmbeddedController, socket: VirtualSocket) -> None:
        self._controller = controller
        self._socket = socket

    def feed(self, data: bytes) -> None:
        """Send bytes to the controller, which gets them at the end of this instant."""
        self._socket.feed(data)
        self._controller.wake()

    def close(self) -> None:
        """Close the connection."""
        self._socket.hang_up()
        self._controller.wake()
