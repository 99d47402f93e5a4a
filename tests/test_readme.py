"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def without_wall_time(report: str) -> str:
    return re.sub(r"of virtual time in .*?\n(?=digest)", "", report, flags=re.DOTALL)


def test_the_quickstart_prints_what_the_readme_shows() -> None:
    done = run("-m", "sdnvirt", "run", "topologies/quickstart.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = next(block for block in blocks("") if block.startswith("quickstart\n"))
    assert without_wall_time(shown) == without_wall_time(done.stdout)


def test_the_topology_runs(tmp_path: Path) -> None:
    (topology,) = blocks("yaml")
    file = tmp_path / "two-vms.yaml"
    file.write_text(topology)
    done = run("-m", "sdnvirt", "run", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 check held" in done.stdout


def test_the_controller_app_runs(tmp_path: Path) -> None:
    app = next(block for block in blocks("python") if "ryu" in block)
    file = tmp_path / "hub.py"
    file.write_text(app)
    done = run("-m", "sdnvirt", "run", "topologies/learning-switch.yaml", "--controller", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all 3 checks held" in done.stdout


def test_the_packet_test_passes(tmp_path: Path) -> None:
    test = next(block for block in blocks("python") if "pytest" in block)
    file = tmp_path / "test_packets.py"
    file.write_text(test.replace('"topologies/', f'"{ROOT}/topologies/'))
    done = run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(file)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_program_runs(tmp_path: Path) -> None:
    program = next(block for block in blocks("python") if "sdnvirt.load" in block)
    file = tmp_path / "program.py"
    file.write_text(program)
    done = run(str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0% packet loss" in done.stdout
    assert done.stdout.endswith("0.0 ['spine2', 'hv1', 'hv3']\n")


def test_the_programs_on_hosts_talk_to_each_other(tmp_path: Path) -> None:
    program = next(block for block in blocks("python") if "asyncio" in block)
    file = tmp_path / "program.py"
    file.write_text(program)
    done = run(str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"hello, world\nhello, distant world after 0\.\d{3} s\n", done.stdout)


def test_the_commands_of_the_readme_are_what_ci_runs() -> None:
    (commands,) = [block for block in blocks("") if "pip install" in block]
    assert "uv run pytest\n" in commands
    assert "\nuv run pytest\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
