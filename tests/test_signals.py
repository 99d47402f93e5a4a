"""Who handles Ctrl-C and SIGTERM, for how long."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from sdnvirt.signals import handled_by

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


@pytest.fixture(autouse=True)
def _untouched() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, was in before.items():
        signal.signal(number, was)


def note(number: int, _frame: FrameType | None) -> None:
    caught.append(number)


caught: list[int] = []


def test_both_are_handled_for_a_while() -> None:
    caught.clear()
    before = [signal.getsignal(number) for number in SIGNALS]
    with handled_by(note):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGALRM) is before[2]
    assert caught == [signal.SIGINT, signal.SIGTERM]
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_one_that_is_ignored_stays_so() -> None:
    caught.clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with handled_by(note):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert caught == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_others_are_handled_in_any_case_and_given_back_after_an_error() -> None:
    caught.clear()
    signal.signal(signal.SIGALRM, signal.SIG_IGN)

    def fail() -> None:
        with handled_by(note, signal.SIGALRM):
            signal.raise_signal(signal.SIGALRM)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert caught == [signal.SIGALRM]
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN
