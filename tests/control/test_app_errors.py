"""What a mistaken app gets its author: one line with the file, the line and the app."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from sdnvirt.errors import ControllerError

FRAME = bytes.fromhex("020000000002 020000000001 0800") + bytes(50)

HANDLER = """
@set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
def packet_in(self, event):
    {}
"""


def line_of(path: str, text: str) -> int:
    lines = Path(path).read_text().splitlines()
    return 1 + next(number for number, line in enumerate(lines) if text in line)


def refusal(start: Any, *apps: str) -> str:
    with pytest.raises(ControllerError) as caught:
        start(*apps)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_file_that_is_missing(start: Any) -> None:
    assert refusal(start, "nowhere/app.py") == "controller app nowhere/app.py: no such file"


@pytest.mark.parametrize("name", ["ryu.app.nothing", "nothing.at.all", "ryu.cfg.deeper"])
def test_a_module_that_is_missing(start: Any, name: str) -> None:
    assert refusal(start, name).startswith(f"controller app {name}: no module of that name")


def test_an_exception_at_import(start: Any, app: Any) -> None:
    path = app("pass", before="1 / 0\n")
    assert refusal(start, path) == (
        f"{path}:{line_of(path, '1 / 0')}: app app raised at import: "
        "ZeroDivisionError: division by zero"
    )


def test_an_exit_at_import_is_no_exit_of_the_emulator(start: Any, app: Any) -> None:
    path = app("pass", before="import sys\nsys.exit(0)\n")
    assert "app app raised at import: SystemExit: 0" in refusal(start, path)


def test_a_syntax_error(start: Any, app: Any) -> None:
    path = app("pass", before="def broken(:\n")
    told = refusal(start, path)
    assert told.startswith(f"{path}:{line_of(path, 'broken')}: app app raised at import: Syntax")


def test_a_mistake_in_a_neighbour_is_placed_there(start: Any, app: Any) -> None:
    path = app("pass", before="import policy\n")
    neighbour = Path(path).with_name("policy.py")
    neighbour.write_text("\n\nRULES = rules\n")
    assert refusal(start, path).startswith(f"{neighbour}:3: app app raised at import: NameError")


def test_a_file_without_an_app(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "empty.py"
    path.write_text("from ryu.base.app_manager import RyuApp\n")
    assert refusal(start, str(path)) == (
        f"{path}: app empty has no class derived from ryu.base.app_manager.RyuApp"
    )


def test_an_exception_in_the_constructor(start: Any, app: Any) -> None:
    path = app("def __init__(self, *args, **kwargs):\n    raise OSError('no\\nlines')")
    assert refusal(start, path) == (
        f"{path}:{line_of(path, 'raise')}: app app raised in __init__: OSError: no lines"
    )


def test_a_context_that_fails(start: Any, app: Any) -> None:
    path = app("_CONTEXTS = {'store': Store}", before="class Store:\n  def __init__(s): s.x\n")
    assert refusal(start, path).startswith(
        f"{path}:{line_of(path, 's.x')}: app app raised in __init__: AttributeError"
    )


def test_two_apps_without_a_common_version(start: Any, app: Any) -> None:
    old = app("pass", name="old").replace("app.py", "old.py")
    Path(old).write_text(Path(old).read_text().replace("[4]", "[1]"))
    assert "No OpenFlow version is available" in refusal(start, old, "ryu.app.simple_switch_13")


def test_the_next_run_works_after_a_failed_start(start: Any, app: Any) -> None:
    refusal(start, "ryu.app.simple_switch_13", app("pass", before="1 / 0\n"))
    assert start("ryu.app.simple_switch_13").switch(1).channel.established


def test_an_exception_in_a_handler(start: Any, app: Any) -> None:
    path = app(HANDLER.format("event.msg.nothing"))
    network = start(path)
    switch = network.switch(1)
    assert network.errors == []
    switch.packet_in(1, FRAME)
    switch.packet_in(1, FRAME)
    network.run()
    (error,) = network.errors
    assert str(error).startswith(
        f"{path}:{line_of(path, 'nothing')}: app app raised in packet_in: AttributeError"
    )
    assert isinstance(error.__cause__, AttributeError)
    assert error is network.controller.first_error
    assert network.lines == [f"0 ns ERROR {error}"]  # the second one


def test_an_exception_in_a_greenlet_of_the_app(start: Any, app: Any) -> None:
    path = app("def start(self):\n    hub.spawn_after(1, self.work)\ndef work(self):\n    1 / 0")
    network = start(path)
    network.run(2)
    (error,) = network.errors
    assert str(error).startswith(f"{path}:{line_of(path, '1 / 0')}: app app raised in work")


@pytest.mark.parametrize("pause", ["hub.sleep(0)", "time.sleep(0)", "hub.spawn(int).wait()"])
def test_an_app_that_never_lets_time_pass(
    start: Any, app: Any, pause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdnvirt.control.hub.SPIN_LIMIT", 10_000)
    path = app(HANDLER.format(f"while True: {pause}"))
    network = start(path)
    network.switch(1).packet_in(1, FRAME)
    with pytest.raises(ControllerError) as caught:
        network.run()
    assert f"{path}:{line_of(path, 'while')}: app app keeps running in packet_in" in str(
        caught.value
    )


def test_an_app_that_watches_the_clock_without_sleeping(
    start: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdnvirt.control.virtual_time.BUSY_LIMIT", 1_000)
    path = app(HANDLER.format("while time.time() < 5: pass"))
    network = start(path)
    network.switch(1).packet_in(1, FRAME)
    network.run()
    assert "BusyWaitError: waits for the clock without sleeping" in str(network.errors[0])


@pytest.mark.parametrize(
    ("use", "told"),
    [
        ("hub.listen(('127.0.0.1', 0)).accept()", "cannot wait for a real socket"),
        ("socket.socket().accept()", "cannot open a real socket; run it remotely"),
        ("socket.create_connection(('127.0.0.1', 1))", "cannot open a real socket"),
    ],
)
def test_an_app_that_uses_a_real_socket(start: Any, app: Any, use: str, told: str) -> None:
    network = start(app(HANDLER.format(use), before="import socket\n"))
    network.switch(1).packet_in(1, FRAME)
    network.run()
    assert told in str(network.errors[0])


def test_an_interrupt_reaches_the_user_although_ryu_catches_everything(
    start: Any, app: Any
) -> None:
    network = start(app(HANDLER.format("raise KeyboardInterrupt")))
    network.switch(1).packet_in(1, FRAME)
    with pytest.raises(KeyboardInterrupt):
        network.run()


def test_malformed_bytes_are_logged_and_do_not_count_against_the_app(start: Any) -> None:
    network = start("ryu.app.simple_switch_13")
    switch = network.switch(1)
    switch.side.feed(bytes.fromhex("040a0018000000010000"))
    switch.side.feed(bytes(14))
    network.run()
    assert network.errors == []
    assert any("malformed" in line for line in network.lines)


def test_loggers_are_left_as_they_were(start: Any, app: Any) -> None:
    logger = logging.getLogger("App")
    path = app("def start(self):\n    self.logger.addHandler(__import__('logging').NullHandler())")
    start(path).controller.stop()
    assert (logger.level, logger.handlers) == (logging.NOTSET, [])
