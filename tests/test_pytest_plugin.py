"""The pytest plugin, as a project that has sdnvirt installed meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BRIDGE = """
name: lab
switches:
  b1: {kind: bridge}
hosts:
  h[1-2]: {address: '10.0.0.[1-2]/24'}
links:
  - {between: ['h[1-2]', b1]}
"""

IMPORT_LIMIT_MS = 5
"""What the plugin may add to the start of pytest in a project that has nothing to do with it."""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a topology file in its folder of tests."""
    tests = pytester.mkdir("tests")
    (tests / "lab.yaml").write_text(BRIDGE)
    return pytester


def run(project: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    """Run tests in another process, for the plugin is found by its entry point there."""
    (project.path / "tests" / "test_lab.py").write_text(f"import pytest\n{source}")
    quick = ("-p", "no:hypothesispytest", "-p", "no:xdist")
    return project.runpytest_subprocess("tests", *quick, *options)


def test_a_marked_test_gets_a_network_that_has_booted(project: pytest.Pytester) -> None:
    (project.path / "other.yaml").write_text(BRIDGE.replace("lab", "other"))
    result = run(
        project,
        f'''
networks = []

@pytest.mark.topology("lab.yaml", seed=7)
def test_from_the_folder_of_the_test(network):
    networks.append(network)
    assert network.topology.seed == 7
    assert network["h1"].ping("h2").received == 3

@pytest.mark.topology("other.yaml")
def test_from_the_root(network):
    assert network.topology.name == "other"
    assert networks[0] is not network

@pytest.mark.topology(text="""{BRIDGE.replace("lab", "inline")}""")
class TestText:
    def test_of_a_class(self, network):
        assert network.topology.name == "inline"

@pytest.mark.topology("lab.yaml")
def test_packets_are_those_of_scapy(network):
    from scapy.layers.inet import ICMP, IP
    from scapy.layers.l2 import Ether
    h1, h2 = network["h1"].port(), network["h2"].port()
    ping = Ether(src=str(h1.mac), dst=str(h2.mac)) / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP()
    with network.capture("h2:b1") as capture:
        network.inject("b1:h1", ping)
        network.run_for("1s")
    request, reply = (packet for packet in capture.packets if ICMP in packet)
    assert request[ICMP].type == 8 and reply[ICMP].type == 0

def test_several_networks(load_network):
    first, second = load_network("lab.yaml", seed=1), load_network("lab.yaml", seed=2)
    first.run_for("1s")
    assert (first.now, second.now) == (10**9, 0)
''',
    )
    result.assert_outcomes(passed=5)


def test_a_test_without_its_topology_is_told_what_to_write(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
def test_unmarked(network): pass

@pytest.mark.topology("lap.yaml")
def test_no_such_file(network): pass

@pytest.mark.topology("lab.yaml", sed=7)
def test_misspelt(network): pass

@pytest.mark.topology(text="name: x\\nswitchs: {}\\n")
def test_wrong_text(network): pass

@pytest.mark.topology(seed=7)
def test_nothing(network): pass
""",
    )
    result.assert_outcomes(errors=5)
    result.stdout.fnmatch_lines(
        [
            "the fixture 'network' needs a topology: mark the test with @pytest.mark.topology*",
            "*lap.yaml: found no readable file*",
            "*unexpected keyword argument 'sed'; see `pytest --markers`",
            "*topology.yaml:2:1: switchs: *did you mean switches?",
            "a network needs a topology file or text=, and not both",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")


BROKEN = """
def leak(network):
    from sdnvirt.frame import Frame, Provenance
    port = network["h1"].port()
    network.plant.monitor.watch(port, "acme/web")
    port.receive(Frame(bytes(60), Provenance(1, "globex-a", "globex", "globex/web")))

def lose(network):
    network.world.originate(bytes(60), "a device that forgets it")

def circle(network):
    made = network.world.originate(bytes(60), "h1")
    for _ in range(30):
        network.port("b1:h1").receive(made)
        network.world.ledger.sent += 1
    network.world.ledger.sent -= 1
"""


def test_a_test_fails_when_its_network_broke_a_promise(project: pytest.Pytester) -> None:
    result = run(
        project,
        f"""{BROKEN}
@pytest.mark.topology("lab.yaml")
def test_isolation(network):
    leak(network)
    network.world.ledger.sent += 1

@pytest.mark.topology("lab.yaml")
def test_ledger(network):
    lose(network)

@pytest.mark.topology("lab.yaml")
def test_loops(network):
    circle(network)

@pytest.mark.topology("lab.yaml", allow_violations=True)
def test_on_purpose(network):
    leak(network)
    lose(network)
    circle(network)

@pytest.mark.topology("lab.yaml")
def test_that_fails_by_itself(network):
    lose(network)
    assert 1 == 2
""",
    )
    result.assert_outcomes(passed=1, failed=4)
    result.stdout.fnmatch_lines(
        [
            "*test_isolation*",
            "lab: isolation is broken: 1 of 1 frames reached a tenant's machine from outside its "
            "network; first, h1:b1 in acme/web received *globex-a*, which is in globex/web",
            "*test_ledger*",
            "lab: the ledger is out of balance by 1: 1 sent + 0 copied, but 0 delivered + *",
            "*test_loops*",
            "lab: 1 packet ran in a loop; first, packet 1 of h1 came back again and again to "
            "b1:h1 *",
            "*test_that_fails_by_itself*",
            "E *assert 1 == 2",
        ]
    )


def test_a_failure_tells_what_happened_to_the_packets(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
@pytest.mark.topology("lab.yaml")
def test_lost(network):
    network.set_link("b1--h2", False)
    assert network["h1"].ping("10.0.0.2", count=1).received

def test_two(load_network):
    load_network("lab.yaml")
    load_network("lab.yaml")
""",
        "--sdnvirt-pcap=captures",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- sdnvirt -*",
            "lab at * frames sent, 0 delivered, * dropped",
            "last drops:",
            "*packet 1 of h1, at b1: no other port of the VLAN is up*",
            "last conversation:",
            "*h1 > b1  packet 1 of h1, * B",
            "captures in captures/tests-test_lab.py-test_lost",
        ]
    )
    found = sorted(path.name for path in (project.path / "captures").iterdir())
    assert found == [f"tests-test_lab.py-test_{name}" for name in ("lost", "two", "two-2")]
    for folder in (project.path / "captures").iterdir():
        assert sorted(file.name for file in folder.iterdir()) == [
            f"{node}.pcapng" for node in ("b1", "h1", "h2")
        ]


def test_the_marker_is_declared(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.topology(path, *, text=None, seed=None*"])


def test_projects_that_do_not_use_it_hardly_notice() -> None:
    """Processor time, of the fastest of several imports: the machine may be busy."""
    program = """
import sys, time, pytest
before = set(sys.modules)
times = []
for _ in range(10):
    start = time.process_time()
    import sdnvirt.pytest_plugin
    times.append(1000 * (time.process_time() - start))
    new = set(sys.modules) - before
    for module in new:
        del sys.modules[module]
print(min(times), *sorted(new))
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},  # not to compile it each time
    )  # fmt: skip
    time_ms, *modules = ran.stdout.split()
    assert modules == ["sdnvirt", "sdnvirt.pytest_plugin"]
    assert float(time_ms) < IMPORT_LIMIT_MS, ran.stdout
