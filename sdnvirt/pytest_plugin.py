"""The pytest plugin: the fixtures ``network`` and ``load_network``, and the marker ``topology``.

A test gets a network that has booted, and loses it afterwards. When the test has passed so far,
the network must have kept its own promises: the ledger balances, no tenant saw another's frames
and no packet ran in a loop. pytest imports this module in every project that has sdnvirt installed,
so it imports nothing else of sdnvirt until a test asks for a network.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from inspect import signature
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from sdnvirt.network.network import Network
    from sdnvirt.topology import Topology

MARKER: Final = (
    "topology(path, *, text=None, seed=None, controller='topology', allow_violations=False): "
    "the topology file (from the folder of the test's file, or from the rootdir) or the YAML text "
    "that the fixture `network` is made from."
)

SHOWN_DROPS: Final = 10
"""Drops that the report of a failed test shows: the last ones are those that a test fails by."""

SHOWN_LINES: Final = 40
"""Lines of a packet story that the report shows: some echoes over ten devices."""


class LoadNetwork:
    """The fixture ``load_network``: makes networks for one test.

    Args:
        request: of the test.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self.networks: list[Network] = []
        self.forgiven: list[Network] = []
        self.captures: dict[str, Path] = {}

    def __call__(
        self,
        path: str | Path | None = None,
        *,
        text: str | None = None,
        seed: int | None = None,
        controller: str = "topology",
        allow_violations: bool = False,
    ) -> Network:
        """Build a topology, connect its controller and boot it.

        Args:
            path: a topology file, from the folder of the test's file or from the rootdir.
            text: what a topology file would hold, in place of a file; may be indented. Files
                that it names are looked for from the current folder.
            seed: of the random streams, instead of the topology's.
            controller: as of :func:`sdnvirt.load`. A process holds one embedded one at a time.
            allow_violations: whether the test means to break isolation or the ledger, or to make a
                loop.

        Returns:
            the network; it is closed after the test.

        Raises:
            UserError: the topology or its controller is wrong.
        """
        from sdnvirt.session import open_network

        network = open_network(self._topology(path, text, seed), controller)
        self.networks.append(network)
        if allow_violations:
            self.forgiven.append(network)
        folder = self._request.config.getoption("sdnvirt_pcap")
        if folder is not None:
            self._capture(network, Path(folder))
        network.boot()
        return network

    def _topology(self, path: str | Path | None, text: str | None, seed: int | None) -> Topology:
        from sdnvirt import topology
        from sdnvirt.errors import UserError

        if (path is None) == (text is None):
            raise UserError("a network needs a topology file or text=, and not both")
        if path is not None:
            return topology.load(self._find(Path(path)), seed=seed)
        # Apps that read the topology get a path, so the text becomes a file.
        factory: pytest.TempPathFactory = self._request.getfixturevalue("tmp_path_factory")
        file = factory.mktemp("sdnvirt") / "topology.yaml"
        file.write_text(dedent(text or ""), encoding="utf-8")
        return topology.load(file, seed=seed)

    def _find(self, path: Path) -> Path:
        """Return a file beside the test's file, or else one from the rootdir."""
        beside = self._request.path.parent / path
        return beside if beside.exists() else self._request.config.rootpath / path

    def _capture(self, network: Network, folder: Path) -> None:
        """Write what every port sees to a folder that is named after the test."""
        from sdnvirt.capture.pcapng import PcapngFolder

        name = re.sub(r"[^\w.-]+", "-", self._request.node.nodeid).strip("-")
        number = len(self.networks)
        files = PcapngFolder(folder / (name if number == 1 else f"{name}-{number}"), network.world)
        network.on_close(files.close)
        self.captures[f"network {number}"] = files.folder
        for node, ports in network.ports_by_node().items():
            files.add(node, ports)

    def broken(self) -> list[str]:
        """Return what is wrong with the networks that a test has used."""
        return [
            f"{network.topology.name}: {fault}"
            for network in self.networks
            if network not in self.forgiven
            for fault in network.invariants.broken()
        ]

    def account(self) -> str:
        """Tell what happened in the networks, for the report of a test that failed."""
        told = "\n\n".join(_account(network) for network in self.networks)
        return told + "".join(f"\n\ncaptures in {folder}" for folder in self.captures.values())

    def close(self) -> None:
        """Close the networks, the last one first; one that cannot be does not keep the others."""
        with ExitStack() as cleanup:
            for network in self.networks:
                cleanup.callback(network.close)


_LOADER: Final = pytest.StashKey[LoadNetwork]()


@pytest.fixture
def load_network(request: pytest.FixtureRequest) -> Iterator[LoadNetwork]:
    """Make networks: ``load_network("x.yaml", seed=7)``, ``load_network(text=...)``."""
    loader = request.node.stash[_LOADER] = LoadNetwork(request)
    yield loader
    loader.close()


@pytest.fixture
def network(request: pytest.FixtureRequest, load_network: LoadNetwork) -> Network:
    """A network made from the test's ``@pytest.mark.topology(...)``, booted."""
    from sdnvirt.errors import UserError

    marker = request.node.get_closest_marker("topology")
    problem = _wrong_marker(marker)
    if not problem:
        try:
            return load_network(*marker.args, **marker.kwargs)
        except UserError as error:
            problem = str(error)
    # Not in the except clause, so that the problem is all that is shown.
    pytest.fail(problem, pytrace=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for captures."""
    parser.getgroup("sdnvirt").addoption(
        "--sdnvirt-pcap",
        metavar="DIR",
        help="write what the networks of each test see to DIR/TEST/NODE.pcapng",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed if one of its networks broke a promise."""
    result = yield
    loader = item.stash.get(_LOADER, None)
    broken = loader.broken() if loader is not None else []
    if broken:
        pytest.fail("\n".join(broken), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the report of a failed test tell what happened in its networks."""
    report = yield
    loader = item.stash.get(_LOADER, None)
    if report.failed and loader is not None and loader.networks:
        report.sections.append(("sdnvirt", loader.account()))
    return report


def _wrong_marker(marker: pytest.Mark | None) -> str:
    """Return what is wrong with how a test is marked, or ""."""
    if marker is None:
        return (
            "the fixture 'network' needs a topology: mark the test with "
            '@pytest.mark.topology("FILE.yaml") or @pytest.mark.topology(text="...")'
        )
    try:
        signature(LoadNetwork.__call__).bind(None, *marker.args, **marker.kwargs)
    except TypeError as error:
        return f"@pytest.mark.topology: {error}; see `pytest --markers`"
    return ""


def _account(network: Network) -> str:
    """Tell the end of a network's run: the last drops and the last conversation."""
    from sdnvirt.capture.taps import packet_name
    from sdnvirt.units import format_time

    ledger = network.world.ledger
    lines = [
        f"{network.topology.name} at {format_time(network.now)}: {ledger.sent} frames sent, "
        f"{ledger.delivered} delivered, {ledger.dropped} dropped"
    ]
    drops = list(ledger.recent)[-SHOWN_DROPS:]
    if drops:
        lines.append("last drops:")
    for drop in drops:
        name = packet_name(drop.frame.provenance)
        lines.append(f"  {format_time(drop.time_ns):>10}  {name}, at {drop}")
    story = network.stories.text(network.last_cause).splitlines()
    if story:
        lines.append("last conversation:")
        lines.append(indent("\n".join(story[-SHOWN_LINES:]), "  "))
    return "\n".join(lines)
