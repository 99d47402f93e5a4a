"""Named random streams: the same numbers on every machine."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sdnvirt.engine.streams import Streams

PROGRAM = """
from sdnvirt.engine.streams import Streams
streams = Streams(42)
print([streams.stream(name).getrandbits(32) for name in ("link a--b loss", "dhcp", "dhcp")])
"""


def test_the_numbers_are_fixed_for_ever():
    """Changing them would change every recorded digest."""
    streams = Streams(42)
    assert [streams.stream("link a--b loss").getrandbits(32) for _ in range(2)] == [
        161589412,
        2501942683,
    ]


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_pythons_hash_seed_has_no_part_in_them(hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    ).stdout
    streams = Streams(42)
    expected = [streams.stream(n).getrandbits(32) for n in ("link a--b loss", "dhcp", "dhcp")]
    assert output.strip() == str(expected)


def test_a_name_is_one_stream_and_streams_do_not_disturb_each_other():
    alone = Streams(1)
    undisturbed = [alone.stream("a").random() for _ in range(5)]
    mixed = Streams(1)
    numbers = []
    for _ in range(5):
        numbers.append(mixed.stream("a").random())
        mixed.stream("b").random()
    assert numbers == undisturbed
    assert mixed.stream("a") is mixed.stream("a")


def test_seeds_and_names_differ():
    first = {
        Streams(seed).stream(name).getrandbits(64)
        for seed in (1, 2, 11)
        for name in ("a", "b", "1a")
    }
    assert len(first) == 9
