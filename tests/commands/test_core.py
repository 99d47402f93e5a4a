"""Lines of text become commands; what goes wrong is told as the real tools and shells do."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.commands import line
from sdnvirt.commands.output import OUTPUT_LIMIT, CommandOutput, Sink
from sdnvirt.commands.table import COMMANDS
from sdnvirt.errors import UserError


def test_output_is_text_with_a_status(net) -> None:
    output = net["h1"].cmd("ping -c 1 10.0.0.2")
    assert isinstance(output, CommandOutput)
    assert "1 received" in output
    assert output.status == 0
    assert net["h1"].cmd("ping -c 1 10.0.0.99").status == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pnig 10.0.0.2", "no command 'pnig'; did you mean ping?"),
        ("xyzzy", "no command 'xyzzy'; there are ping, "),
        ("", "an empty command"),
        ("ping 'x", "No closing quotation"),
        ("ping -c 1 10.0.0.2 | head", "'|' needs a shell"),
        ("ping " + "x" * 5000, "a command of 5005 characters"),
        (["ping", "10.0.0.2"], "['ping', '10.0.0.2'] is not a command; expected text such as"),
    ],
)
def test_what_is_no_command(net, text: Any, told: str) -> None:
    with pytest.raises(UserError) as caught:
        net["h1"].cmd(text)
    assert told in str(caught.value)


def test_a_path_before_the_name_is_cut_off(net) -> None:
    assert net["h1"].cmd("/usr/bin/ping -c 1 10.0.0.2").status == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_how_it_is_called(net, name: str) -> None:
    output = net["h1"].cmd(f"{name} --help")
    assert output.startswith(f"usage: {name} ")
    assert output.status == 0
    assert all(len(one) <= 80 for one in output.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_usage_errors_do_nothing(net, name: str) -> None:
    before = net.now, net.world.ledger.sent
    output = net["h1"].cmd(f"{name} --no-such-option")
    assert output.status in (2, 255)
    assert output.startswith(f"{name}: ")
    assert (net.now, net.world.ledger.sent) == before


def test_mistakes_are_known_before_a_run() -> None:
    assert line.read("ping -c 0 10.0.0.2").mistake() == (
        "ping: argument -c: invalid argument: '0': out of range: 1 <= value <= 4611686018427387904"
    )
    assert line.read("ping -c 3 10.0.0.2").mistake() is None
    assert str(line.read("ping  -c 3 'a b'")) == "ping -c 3 'a b'"


def test_what_does_not_end_is_told_and_stopped(net) -> None:
    with pytest.raises(UserError, match=r"'ping 10.0.0.2' on h1 has not ended within 5 s"):
        net["h1"].cmd("ping 10.0.0.2", limit="5s")
    net.run_for("1ms")  # the answer to the last request is on its way
    sent = net.world.ledger.sent
    net.run_for("2s")
    assert net.world.ledger.sent == sent


def test_a_command_in_the_background(net) -> None:
    job = net["h1"].start("ping 10.0.0.2")
    net.run_for("3500ms")
    assert not job.done
    assert job.status is None
    assert job.output.count("bytes from") == 4
    job.stop()
    net.run_for("1ms")
    assert job.done
    assert job.status == 0
    assert "4 packets transmitted, 4 received, 0% packet loss, time 3000ms" in job.output
    assert job.result == job.output


def test_a_command_ends_when_its_host_crashes(net) -> None:
    job = net["h1"].start("ping 10.0.0.2")
    net.run_for("1500ms")
    net.faults.crash("h1")
    net.run_for("1s")
    assert job.done


def test_a_job_that_never_began(net) -> None:
    job = net["h1"].start("ping 10.0.0.2")
    job.stop()
    net.run_for("1s")
    assert (job.status, job.output) == (130, "")


def test_output_is_bounded() -> None:
    sink = Sink()
    for _ in range(3):
        sink.write("x" * (OUTPUT_LIMIT // 2))
    sink.write("more")
    assert sink.text.startswith("x" * OUTPUT_LIMIT)
    assert sink.text.endswith("the rest is cut]\n")
    assert len(sink.text) < OUTPUT_LIMIT + 100


def test_runs_repeat_to_the_byte(load_network) -> None:
    from .conftest import HOSTS, make_dual

    def told() -> list[str]:
        net = make_dual(load_network(text=HOSTS))
        commands = ("ping -c 2 10.0.0.2", "traceroute 10.0.9.2", "ip neigh", "ss -a")
        return [net["h1"].cmd(one) for one in commands]

    assert told() == told()
