"""Stock Ryu in virtual time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sdnvirt.control.embedded import EmbeddedController
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.errors import ControllerError
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.packets import PacketOut
from tests.control.speaker import Switch

ROOT = Path(__file__).parents[2]
SECOND = 1_000_000_000
SIMPLE_SWITCH = "ryu.app.simple_switch_13"

FRAME = bytes.fromhex("020000000002 020000000001 0800") + bytes(50)
ANSWER = bytes.fromhex("020000000001 020000000002 0800") + bytes(50)


def test_a_switch_completes_the_handshake_and_gets_the_table_miss_entry(start: Any) -> None:
    switch = start(SIMPLE_SWITCH).switch(7)
    assert switch.channel.established
    (miss,) = switch.messages(FlowMod)
    assert miss.priority == 0
    assert not miss.match.fields


def test_packet_ins_are_answered_at_the_instant_they_arrive(start: Any) -> None:
    network = start(SIMPLE_SWITCH)
    switch = network.switch(7)
    network.run(1.5)
    switch.packet_in(1, FRAME)
    switch.packet_in(2, ANSWER)
    network.run()
    assert [(at, type(message)) for at, message in switch.received[-3:]] == [
        (1_500_000_000, PacketOut),
        (1_500_000_000, FlowMod),
        (1_500_000_000, PacketOut),
    ]


def test_bytes_may_come_in_pieces_of_any_size(start: Any) -> None:
    network = start(SIMPLE_SWITCH)
    switch = network.switch(7)
    whole, switch.side = switch.side, None
    switch.packet_in(1, FRAME)
    pieces: list[bytes] = []

    class Chopper:
        def feed(self, data: bytes) -> None:
            pieces.extend(data[i : i + 5] for i in range(0, len(data), 5))

    switch.side = Chopper()
    switch.packet_in(1, FRAME)
    for piece in pieces:
        network.run(0.001)
        assert not switch.messages(PacketOut)
        whole.feed(piece)
    network.run()
    assert len(switch.messages(PacketOut)) == 1


def test_clock_and_sleep_are_virtual_in_every_spelling(start: Any, app: Any) -> None:
    path = app(
        """
        def start(self):
            super().start()
            hub.spawn(self.tick)

        def tick(self):
            for pause in (time.sleep, sleep, hub.sleep):
                pause(0.5)
                assert time.time() == monotonic() == perf_counter_ns() / 1e9
                self.logger.warning("%s %s", time.time(), time.strftime("%H:%M:%S"))
        """,
        before="from time import monotonic, perf_counter_ns, sleep\n",
    )
    network = start(path)
    network.run(2)
    assert network.lines == [
        "500 ms WARNING App: 0.5 00:00:00",
        "1 s WARNING App: 1.0 00:00:01",
        "1.5 s WARNING App: 1.5 00:00:01",
    ]


def test_timers_of_one_instant_fire_in_the_order_of_their_creation(start: Any, app: Any) -> None:
    path = app(
        """
        def start(self):
            super().start()
            for number in range(50):
                hub.spawn_after(1, self.logger.warning, "%d", number)
        """
    )
    network = start(path)
    network.run(2)
    assert [int(line.split()[-1]) for line in network.lines] == list(range(50))


def test_an_idle_controller_leaves_no_events_behind(start: Any) -> None:
    network = start(SIMPLE_SWITCH)
    network.switch(7)
    assert not list(network.scheduler.pending())


def test_when_the_controller_hangs_up_the_switch_is_told_why(start: Any, app: Any) -> None:
    path = app(
        """
        @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
        def packet_in(self, event):
            event.msg.datapath.close()
        """
    )
    network = start(path)
    switch = network.switch(7)
    switch.packet_in(1, FRAME)
    network.run()
    assert switch.closed == ["the controller closed the connection"]
    assert network.errors == []


def test_a_switch_that_comes_back_soon_waits_for_its_turn(start: Any) -> None:
    network = start(SIMPLE_SWITCH)
    switch = network.switch(7)
    for delay in (1, 2, 4, 8, 8):
        switch.side.close()
        switch.raw.clear()
        switch.connect(network.controller)
        called = network.scheduler.now
        network.run(delay)
        assert switch.raw[0][0] == called + delay * SECOND
    assert switch.closed == []


def test_apps_learn_the_topology_file_from_an_option(start: Any, app: Any, tmp_path: Path) -> None:
    path = app(
        """
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            cfg.CONF.register_opts([cfg.StrOpt("topology", default="none")], group="sdnvirt")
            self.logger.warning("%s", self.CONF.sdnvirt.topology)
        """
    )
    network = start(path, topology=str(tmp_path / "two $tenants.yaml"))
    assert network.lines == [f"0 ns WARNING App: {tmp_path}/two $tenants.yaml"]
    network.controller.stop()
    assert start(path).lines == ["0 ns WARNING App: none"]


def test_info_is_logged_only_when_asked_for(start: Any, app: Any) -> None:
    path = app(
        """
        def start(self):
            self.logger.info("here")
        """
    )
    quiet = start(path)
    assert quiet.lines == []
    quiet.controller.stop()
    assert "0 ns INFO App: here" in start(path, level=20).lines


def test_nothing_reaches_the_terminal(start: Any, app: Any, capfd: Any) -> None:
    network = start(
        app("def start(self):\n    self.logger.error('no')\n    hub.spawn_after(0.5, int, 'x')")
    )
    network.run(1)
    assert capfd.readouterr() == ("", "")


def test_an_app_that_logs_to_the_terminal_is_shown_like_the_others(start: Any, capfd: Any) -> None:
    network = start("ryu.app.simple_switch_stp_13", level=20)
    network.switch(7)
    joined = "[STP][INFO] dpid=0000000000000007: Join as stp bridge."
    assert f"0 ns INFO Stp: {joined}" in network.lines
    network.controller.stop()
    assert capfd.readouterr() == ("", "")


def test_a_run_leaves_ryu_as_it_was_for_the_next_one(start: Any, app: Any) -> None:
    first = app("OFP_VERSIONS = [1]\nseen = []", before="import neighbour\n")
    neighbour = Path(first).with_name("neighbour.py")
    neighbour.write_text("NAME = 'first'")
    start(first).controller.stop()
    neighbour.write_text("NAME = 'later'")
    second = app(
        "def start(self):\n    self.logger.warning(neighbour.NAME)", before="import neighbour\n"
    )
    network = start(second, SIMPLE_SWITCH)
    assert network.lines == ["0 ns WARNING App: later"]
    assert network.switch(7).channel.established
    assert "neighbour" in sys.modules
    network.controller.stop()
    assert not {"app", "neighbour", SIMPLE_SWITCH} & set(sys.modules)


def test_options_of_two_apps_may_differ(start: Any, app: Any) -> None:
    for default in ("1", "2"):
        path = app(
            "def start(self):\n    self.logger.warning(cfg.CONF.color)",
            before=f"cfg.CONF.register_opts([cfg.StrOpt('color', default='{default}')])\n",
        )
        network = start(path)
        assert network.lines == [f"0 ns WARNING App: {default}"]
        network.controller.stop()


def test_a_second_controller_at_the_same_time_is_refused(start: Any) -> None:
    first = start(SIMPLE_SWITCH)
    with pytest.raises(ControllerError, match="stop that one first"):
        start(SIMPLE_SWITCH)
    assert first.switch(7).channel.established


def test_fifty_runs_in_one_process_do_not_pile_up() -> None:
    import gc

    def run(dpid: int) -> None:
        scheduler = Scheduler()
        controller = EmbeddedController(
            scheduler, ["ryu.app.simple_switch_stp_13"], seed_stream=Random(dpid),
            topology_path=None, on_app_error=pytest.fail,
        )  # fmt: skip
        controller.start()
        switch = Switch(scheduler, dpid)
        switch.connect(controller)
        scheduler.run_until(5 * SECOND)
        assert switch.messages(PacketOut)
        controller.stop()

    def live() -> int:
        gc.collect()
        return len(gc.get_objects())

    for dpid in range(1, 4):
        run(dpid)
    before = live()
    for dpid in range(1, 51):
        run(dpid)
    assert live() - before < 50 * 20


def test_the_same_bytes_come_at_the_same_times_whatever_the_hash_seed() -> None:
    traces = {
        subprocess.run(
            [sys.executable, "-m", "tests.control.spanning_tree_trace"],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(traces) == 1
    assert len(traces.pop()) > 1_000
