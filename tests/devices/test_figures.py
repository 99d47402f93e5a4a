"""Disciplines, jitter and losses as Python makes them: what they cannot be like is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdnvirt.devices.disciplines import CoDel, Red, TokenBucket
from sdnvirt.devices.jitter import NormalJitter, TableJitter, UniformJitter
from sdnvirt.devices.loss import GilbertElliott
from sdnvirt.errors import UserError

BIT = "bits a second from 1, a whole number"
TIME = "nanoseconds from {}, a whole number"
SHARE = "a share from 0 to 1, such as 0.05"
TABLE = "a tuple of nanoseconds, at least one, such as (-1_000, 0, 1_000)"

WRONG: dict[str, tuple[Callable[..., Any], tuple[Any, ...], str]] = {
    "rate_bps of TokenBucket: found 0": (TokenBucket, (0, 1500), BIT),
    "rate_bps of TokenBucket: found 1.5": (TokenBucket, (1.5, 1500), BIT),
    "burst_bytes of TokenBucket: found -1": (TokenBucket, (1, -1), "bytes from 1, a whole number"),
    "target_ns of CoDel: found 0": (CoDel, (0,), TIME.format(1)),
    "interval_ns of CoDel: found 0": (CoDel, (1, 0), TIME.format(1)),
    "min_bytes of Red: found -1": (Red, (-1,), "bytes from 0, a whole number"),
    "max_bytes of Red: found 1000": (Red, (2000, 1000), "bytes from 2001, a whole number"),
    "probability of Red: found 1.1": (Red, (1, 2, 1.1), SHARE),
    "to_bad of GilbertElliott: found 2": (GilbertElliott, (2, 1), SHARE),
    "to_good of GilbertElliott: found -0.5": (GilbertElliott, (0.1, -0.5), SHARE),
    "in_bad of GilbertElliott: found nan": (GilbertElliott, (0.1, 0.1, float("nan")), SHARE),
    "in_good of GilbertElliott: found True": (GilbertElliott, (0.1, 0.1, 1, True), SHARE),
    "sigma_ns of NormalJitter: found -1": (NormalJitter, (True, -1), TIME.format(0)),
    "spread_ns of UniformJitter: found '1ms'": (UniformJitter, (True, "1ms"), TIME.format(0)),
    "table_ns of TableJitter: found ()": (TableJitter, (True, ()), TABLE),
    "table_ns of TableJitter: found (0.5,)": (TableJitter, (True, (0.5,)), TABLE),
}


@pytest.mark.parametrize("found", WRONG)
def test_what_they_cannot_be_like(found: str) -> None:
    make, arguments, expected = WRONG[found]
    with pytest.raises(UserError) as caught:
        make(*arguments)
    assert str(caught.value) == f"{found}, expected {expected}"
