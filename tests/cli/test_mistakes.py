"""What is wrong is told in one line that names it, with status 2, and no traceback unasked."""

from __future__ import annotations

import os
import re
import resource
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdnvirt.cli import main

Run = Callable[..., Any]
Write = Callable[..., Path]

PING = """
checks:
  - ping: {from: h1, to: h2, count: 1}
    at: 10ms
"""

SILENT = f'exec {sys.executable} -m sdnvirt "$@" 2>/dev/full'

MANY_PINGS = """
checks:
  - ping: {from: h1, to: h2, count: 4000, interval: 1ms, size: 1400}
    at: 10ms
"""


def assert_one_line(done: Any, pattern: str) -> None:
    """The command says just this, prints no report, and ends with status 2."""
    assert re.fullmatch(pattern + "\n", done.err), done.err
    assert (done.status, done.out) == (2, "")


# topology files


def test_each_mistake_of_a_file_is_a_line(sdnvirt: Run, bridged: Write) -> None:
    bridged("checks: [{ping: {from: h1, to: h3}}, {ping: {from: h9, to: h2}}]\n")
    done = sdnvirt("run", "net.yaml")
    first, second = done.err.splitlines()
    assert re.match(r"net.yaml:6:\d+: checks\[0\].*found 'h3', expected .*", first)
    assert re.match(r"net.yaml:6:\d+: checks\[1\].*found 'h9', expected .*", second)
    assert (done.status, done.out) == (2, "")


def test_what_is_no_topology_file_is_named(sdnvirt: Run, bridged: Write, tmp_path: Path) -> None:
    bridged()
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes(b"name: Z\xfcrich")
    (tmp_path / "empty").touch()
    (tmp_path / "huge").write_bytes(bytes((8 << 20) + 1))
    (tmp_path / "list").write_text("- 1\n")
    (tmp_path / "torn").write_text("name: [\n")
    wrong = {
        "missing": "No such file or directory",
        "folder": "Is a directory",
        "latin": "byte 0xfc at 7, expected UTF-8",
        "empty": "an empty file",
        "huge": "more than 8388608 bytes",
        "list": "expected",
        "torn": "broken YAML",
    }
    done = sdnvirt("validate", *wrong, "net.yaml")
    assert done.status == 2
    for line, (file, what) in zip(done.err.splitlines(), wrong.items(), strict=True):
        assert line.startswith(f"{file}:")
        assert what in line
    assert done.out == "net.yaml: ok, 3 nodes, 2 links, 0 checks\n"


def test_run_names_a_missing_file(sdnvirt: Run) -> None:
    assert_one_line(sdnvirt("run", "no.yaml"), "no.yaml: found no readable file .*")


# controllers


def test_an_app_that_is_missing(sdnvirt: Run, steered: Write) -> None:
    steered("controller: {app: app.py}\n" + PING)
    assert_one_line(sdnvirt("run", "net.yaml"), r"net.yaml:6:\d+: controller.app: found .*app.py.*")


def test_an_app_that_raises_at_import(sdnvirt: Run, steered: Write, tmp_path: Path) -> None:
    steered("controller: {app: app.py}\n" + PING)
    (tmp_path / "app.py").write_text("\nraise RuntimeError('two\\nlines')\n")
    assert_one_line(
        sdnvirt("run", "net.yaml"),
        r"sdnvirt: app.py:2: app app raised at import: RuntimeError: two lines",
    )


def test_an_app_that_raises_in_a_handler(sdnvirt: Run, steered: Write, app: Write) -> None:
    """There is no report: what the network did without its controller is not worth reading."""
    steered("controller: {app: app.py}\n" + PING)
    app("{}['port']")
    done = sdnvirt("run", "net.yaml", "--pcap", "captures")
    assert_one_line(done, r"sdnvirt: app.py:11: app app raised in on_switch: KeyError: 'port'")


def test_the_traceback_of_an_app_is_for_debugging(sdnvirt: Run, steered: Write, app: Write) -> None:
    steered("controller: {app: app.py}\n" + PING)
    app("{}['port']")
    done = sdnvirt("run", "net.yaml", "--debug")
    assert done.status == 2
    assert "Traceback (most recent call last)" in done.err
    assert "{}['port']\n" in done.err
    assert done.err.endswith("app.py:11: app app raised in on_switch: KeyError: 'port'\n")


def test_a_controller_that_is_not_there(sdnvirt: Run, steered: Write) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    steered()
    assert_one_line(
        sdnvirt("run", "net.yaml", "--controller", f"tcp:127.0.0.1:{port}"),
        rf"sdnvirt: controller tcp:127.0.0.1:{port}: connection refused",
    )


def test_an_address_that_is_none(sdnvirt: Run, steered: Write) -> None:
    steered()
    assert_one_line(
        sdnvirt("run", "net.yaml", "--controller", "tcp:localhost:65536"),
        r"sdnvirt: controller 'tcp:localhost:65536': expected tcp:HOST\[:PORT\].*",
    )


def test_an_app_to_embed_that_is_missing(sdnvirt: Run, steered: Write) -> None:
    steered()
    assert_one_line(
        sdnvirt("run", "net.yaml", "--controller", "nowhere.py"),
        r"sdnvirt: controller app nowhere.py: no such file",
    )


# outputs


def test_a_folder_of_captures_that_is_a_file(sdnvirt: Run, bridged: Write, tmp_path: Path) -> None:
    bridged(PING)
    (tmp_path / "captures").touch()
    assert_one_line(
        sdnvirt("run", "net.yaml", "--pcap", "captures"),
        "sdnvirt: cannot write captures to captures: it is not a folder",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_captures_without_permission(
    sdnvirt: Run, bridged: Write, tmp_path: Path
) -> None:
    bridged(PING)
    (tmp_path / "captures").mkdir(mode=0o555)
    assert_one_line(
        sdnvirt("run", "net.yaml", "--pcap", "captures"),
        r"sdnvirt: cannot write captures/\w+.pcapng: Permission denied",
    )


def test_a_folder_of_captures_where_none_can_be(sdnvirt: Run, bridged: Write) -> None:
    bridged(PING)
    assert_one_line(
        sdnvirt("run", "net.yaml", "--pcap", "net.yaml/captures"),
        "sdnvirt: cannot write net.yaml/captures: Not a directory",
    )


def test_a_disk_that_is_full_from_the_start(sdnvirt: Run, bridged: Write, tmp_path: Path) -> None:
    bridged(PING)
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "h2.pcapng").symlink_to("/dev/full")
    assert_one_line(
        sdnvirt("run", "net.yaml", "--pcap", "captures"),
        "sdnvirt: cannot write captures/h2.pcapng: No space left on device",
    )


def test_a_disk_that_fills_in_mid_run_leaves_captures_that_can_be_read(
    sdnvirt: Run, bridged: Write, tmp_path: Path
) -> None:
    bridged(MANY_PINGS)
    limit = 1_000_001
    done = sdnvirt(
        "run", "net.yaml", "--pcap", "captures",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert_one_line(done, r"sdnvirt: cannot write captures/\w+.pcapng: File too large")
    counts = {path.name: len(blocks(path.read_bytes())) for path in tmp_path.glob("captures/*")}
    assert sorted(counts) == ["b1.pcapng", "h1.pcapng", "h2.pcapng"]
    assert max(counts.values()) > 500


def blocks(capture: bytes) -> list[int]:
    """Return the types of a pcapng file's blocks, which must fill it exactly."""
    types = []
    while capture:
        size = int.from_bytes(capture[4:8], "little")
        assert capture[size - 4 : size] == capture[4:8]
        types.append(int.from_bytes(capture[:4], "little"))
        capture = capture[size:]
    return types


def test_captures_of_a_run_that_fails_can_be_read(
    sdnvirt: Run, steered: Write, app: Write, tmp_path: Path
) -> None:
    steered("controller: {app: app.py}\n" + PING)
    app("from ryu.lib import hub\nhub.sleep(1)\n1 / 0")
    done = sdnvirt("run", "net.yaml", "--pcap", "captures")
    assert_one_line(done, r"sdnvirt: app.py:13: app app raised in on_switch: ZeroDivisionError.*")
    assert len(blocks((tmp_path / "captures" / "h1.pcapng").read_bytes())) > 2


def test_a_json_file_that_cannot_be_written_is_found_before_the_run(
    sdnvirt: Run, bridged: Write
) -> None:
    bridged(PING)
    assert_one_line(
        sdnvirt("run", "net.yaml", "--json", "no/report.json"),
        "sdnvirt: cannot write no/report.json: there is no folder no",
    )
    assert_one_line(
        sdnvirt("run", "net.yaml", "--json", "."), r"sdnvirt: cannot write \.: it is a folder"
    )


def test_a_json_file_on_a_full_disk_does_not_hide_the_report(sdnvirt: Run, bridged: Write) -> None:
    bridged(PING)
    done = sdnvirt("run", "net.yaml", "--json", "/dev/full")
    assert done.status == 2
    assert done.out.endswith("\n1 check held\n")
    assert done.err == "sdnvirt: cannot write /dev/full: No space left on device\n"


@pytest.mark.parametrize("arguments", [("run", "net.yaml"), ("schema",), ("--help",)])
def test_standard_output_that_is_full(
    sdnvirt: Run, bridged: Write, arguments: tuple[str, ...]
) -> None:
    bridged(PING)
    with open("/dev/full", "w") as full:
        done = sdnvirt(*arguments, stdout=full)
    assert done.err == "sdnvirt: cannot write to standard output: No space left on device\n"
    assert done.status == 2


def test_a_pipe_that_nobody_reads(sdnvirt: Run, bridged: Write) -> None:
    bridged(PING)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = sdnvirt("run", "net.yaml", stdout=writer)
    finally:
        os.close(writer)
    assert (done.status, done.err) == (141, "")


def test_a_terminal_that_lacks_a_letter(sdnvirt: Run, bridged: Write) -> None:
    bridged("description: Łodz\n")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = sdnvirt("run", "net.yaml", env=environment)
    assert done.status == 0
    assert "\n\\u0141odz\n" in done.out


# options


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("fly",), "No such command 'fly'."),
        (("run",), "Missing argument 'FILE'."),
        (("run", "a", "b"), "Got unexpected extra argument (b)"),
        (("run", "a", "--sede", "1"), "No such option '--sede'."),
        (("run", "a", "--seed", "-1"), "Invalid value for '--seed': -1 is not in the range x>=0."),
        (("run", "a", "--seed", "x"), "Invalid value for '--seed': 'x' is not a valid whole num"),
        (("run", ""), "Invalid value for 'FILE': an empty name."),
        (("run", "a", "--pcap", ""), "Invalid value for '--pcap': an empty name."),
        (("validate",), "Missing argument 'FILES...'."),
        (("controller",), "Missing argument 'APPS...'."),
        (("controller", "a", "--port", "0"), "Invalid value for '--port': 0 is not in the range"),
    ],
)
def test_usage(
    arguments: tuple[str, ...],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["sdnvirt", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"Error: {told}")


@pytest.mark.parametrize(
    "arguments", [("--debug", "run", "no.yaml"), ("run", "no.yaml", "--debug")]
)
def test_debug_shows_the_traceback_wherever_it_stands(
    sdnvirt: Run, arguments: tuple[str, ...]
) -> None:
    done = sdnvirt(*arguments)
    assert done.status == 2
    assert done.err.startswith("Traceback (most recent call last):")
    assert "no.yaml: found no readable file" in done.err.splitlines()[-1]


def test_what_is_wrong_is_wrong_even_if_it_cannot_be_told(sdnvirt: Run) -> None:
    for arguments in (("run", "no.yaml"), ("run", "a", "--seed", "x"), ("flows", "no.json")):
        with open("/dev/full", "w") as full:
            done = sdnvirt(*arguments, command=["/bin/sh", "-c", SILENT, "sh"], stdout=full)
        assert (done.status, done.err) == (2, "")


def test_files_of_tls_need_somewhere_to_use_them(sdnvirt: Run, bridged: Write) -> None:
    bridged(PING)
    files = ("--private-key", "a", "--certificate", "b", "--ca-cert", "c")
    assert_one_line(
        sdnvirt("run", "net.yaml", *files),
        "sdnvirt: --private-key, --certificate and --ca-cert go with --listen or ssl:",
    )


def test_a_topology_for_apps_that_is_missing(sdnvirt: Run) -> None:
    assert_one_line(
        sdnvirt("controller", "app.py", "--topology", "no.yaml"),
        "no.yaml: found no such file, expected a topology file",
    )


def test_a_bug_is_called_one(sdnvirt: Run, bridged: Write) -> None:
    """Status 3: neither a failed check nor the user's mistake."""
    bridged()
    program = (
        "import sys, sdnvirt.cli.run, sdnvirt.cli\n"
        "sdnvirt.cli.run.run_topology = lambda **options: {}['no']\n"
        "sdnvirt.cli.main()"
    )
    done = sdnvirt("run", "net.yaml", command=[sys.executable, "-c", program])
    assert done.err == (
        "sdnvirt: KeyError: 'no'; this is a bug of sdnvirt, and --debug shows where\n"
    )
    assert done.status == 3
