"""The one list of reasons for which a frame can be lost."""

from __future__ import annotations

import pytest

from sdnvirt.drops import DropReason


def test_no_two_reasons_are_told_alike():
    """Python makes two members of equal value one, and counts would be mixed up."""
    assert len(DropReason.__members__) == len(DropReason)


@pytest.mark.parametrize("reason", DropReason, ids=lambda reason: reason.name)
def test_reasons_read_on_in_a_report(reason):
    """As in ``s1: the port has no link (figures)``."""
    assert reason.value == reason.value.strip(" .")
    assert len(reason.value) > 10
