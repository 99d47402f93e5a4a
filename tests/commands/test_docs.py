"""docs/commands.md: its examples run, its table names every command, its transcripts are true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import sdnvirt
from sdnvirt.commands.table import COMMANDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
)
TRANSCRIPTS = re.findall(r"^```console (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"^([\w-]+)\$ (.*)$", re.MULTILINE)
SETTLED = "20s"


def test_every_command_is_in_the_table_and_no_other() -> None:
    rows = re.findall(r"^\| (`.*?) \| ", PAGE, re.MULTILINE)
    named = {name.split()[0] for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert named == set(COMMANDS)


def test_every_command_has_a_transcript() -> None:
    shown = "".join(text for _, text in [*TRANSCRIPTS, *EXAMPLES])
    typed = {line.split()[0] for _, line in TYPED.findall(shown)}
    assert typed - {"fg"} == set(COMMANDS)


@pytest.mark.parametrize(("example", "printed"), EXAMPLES, ids=["ping", "names"])
def test_the_examples_print_the_transcripts(example: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == printed


def transcript(topology: str, typed: list[tuple[str, str]]) -> str:
    """Return what is seen of lines that are typed on hosts, from SETTLED on."""
    seen = []
    with sdnvirt.load(ROOT / topology) as net:
        net.run_until(SETTLED)
        jobs = {}
        for host, line in typed:
            seen.append(f"{host}$ {line}\n")
            if line.endswith(" &"):
                jobs[host] = net[host].start(line.removesuffix(" &"))
            elif line == "fg":
                job = jobs.pop(host)
                job.stop()
                net.run_for("1ms")
                seen.append(job.result)
            else:
                seen.append(net[host].cmd(line))
    return "".join(seen)


@pytest.mark.parametrize(
    ("topology", "text"), TRANSCRIPTS, ids=[Path(name).stem for name, _ in TRANSCRIPTS]
)
def test_the_transcripts_are_true(topology: str, text: str) -> None:
    assert transcript(topology, TYPED.findall(text)) == text
