"""What holds for all tests: long campaigns on request only, and generated inputs that repeat."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# Assertions of what tests share tell as much as their own.
pytest.register_assert_rewrite(*(f"tests.{one.name}" for one in Path(__file__).parent.iterdir()))

# Derandomized, so that a run on an unchanged tree never fails for the first time; the nightly
# campaign is what looks for new inputs.
settings.register_profile("default", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=5000, deadline=None, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="run the long campaigns, too")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("nightly" if _nightly(config) else "default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _nightly(config):
        return
    skip = pytest.mark.skip(reason="a long campaign: run it with --nightly or SDNVIRT_NIGHTLY=1")
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker(skip)


def _nightly(config: pytest.Config) -> bool:
    return bool(config.getoption("--nightly")) or os.environ.get("SDNVIRT_NIGHTLY") == "1"
