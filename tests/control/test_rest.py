"""REST to embedded apps, without a socket."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from sdnvirt.control.embedded import EmbeddedController
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.errors import ControllerError

SECOND = 1_000_000_000

BEFORE = """
from ryu.app.wsgi import ControllerBase, Response, WSGIApplication, route


class Pages(ControllerBase):
    @route("echo", "/echo", methods=["POST"])
    def echo(self, request, **_):
        return Response(body=request.body)

    @route("nap", "/nap/{seconds}", methods=["GET"])
    def nap(self, request, seconds, **_):
        hub.sleep(float(seconds))
        return Response(json_body={"time": time.time()})

    @route("fall", "/fall", methods=["GET"])
    def fall(self, request, **_):
        raise KeyError("over")
"""

BODY = """
_CONTEXTS = {"wsgi": WSGIApplication}

def __init__(self, *args, **kwargs):
    super().__init__(*args, **kwargs)
    kwargs["wsgi"].register(Pages)
"""


@pytest.fixture
def network(start: Any, app: Callable[..., str]) -> Any:
    return start(app(BODY, before=BEFORE))


@pytest.mark.parametrize("body", [{"a": [1, None]}, [], "not JSON", "", "été"])
def test_bodies_are_json_or_text(network: Any, body: Any) -> None:
    assert network.controller.rest("POST", "/echo", body) == (200, body)


def test_a_request_takes_the_virtual_time_that_the_app_takes(network: Any) -> None:
    network.run(1)
    assert network.controller.rest("POST", "/echo") == (200, "")
    assert network.scheduler.now == SECOND
    assert network.controller.rest("GET", "/nap/2") == (200, {"time": 3.0})
    assert network.scheduler.now == 3 * SECOND


def test_an_unknown_path_is_not_found(network: Any) -> None:
    assert network.controller.rest("GET", "/nowhere").status == 404


def test_an_app_that_raises_is_told_with_its_place(network: Any) -> None:
    with pytest.raises(ControllerError, match=r"app.py:\d+: app app raised in fall: KeyError"):
        network.controller.rest("GET", "/fall")


def test_an_app_that_does_not_answer(network: Any) -> None:
    with pytest.raises(ControllerError, match="GET /nap/3600: no app has answered within 1 min"):
        network.controller.rest("GET", "/nap/3600")


def test_apps_without_rest(start: Any) -> None:
    running = start("ryu.app.simple_switch_13")
    with pytest.raises(ControllerError, match="GET /x: no controller app offers REST"):
        running.controller.rest("GET", "/x")


def test_an_option_that_ryu_does_not_have(capfd: pytest.CaptureFixture[str]) -> None:
    controller = EmbeddedController(
        Scheduler(), ["ryu.app.simple_switch_13"], seed_stream=Random(1), topology_path=None,
        on_app_error=pytest.fail, options=["--observe-lynx"],
    )  # fmt: skip
    with pytest.raises(ControllerError, match="options --observe-lynx: unrecognized arguments"):
        controller.start()
    assert capfd.readouterr() == ("", "")
    assert "ryu.app.simple_switch_13" not in sys.modules
