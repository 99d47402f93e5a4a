"""Quantities as users write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.units import (
    NS_PER_S,
    format_rate,
    format_time,
    parse_probability,
    parse_rate,
    parse_size,
    parse_time,
)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0s", 0), ("1ns", 1), ("5us", 5_000), ("5µs", 5_000), ("1.5 ms", 1_500_000),
        ("1s", NS_PER_S), (" 2 min ", 120 * NS_PER_S), ("0.000000001s", 1),
    ],
)  # fmt: skip
def test_times(text, ns):
    assert parse_time(text) == ns


@pytest.mark.parametrize(
    ("text", "bps"),
    [("1bit/s", 1), ("64kbit/s", 64_000), ("2.5Gbit/s", 2_500_000_000), ("1 Tbit/s", 10**12)],
)
def test_rates(text, bps):
    assert parse_rate(text) == bps


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("1kB", 1000), ("512KiB", 524_288), ("1.5MiB", 1_572_864)]
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "probability"), [("0%", 0.0), ("1%", 0.01), ("100%", 1.0), ("0.25", 0.25), ("1", 1.0)]
)
def test_probabilities(text, probability):
    assert parse_probability(text) == pytest.approx(probability)


@pytest.mark.parametrize("text", ["", "5", "us", "-5us", "5 parsecs", "1e3s", "5 US", "5us 3"])
def test_a_time_that_is_none_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="such as 5us"):
        parse_time(text)


@pytest.mark.parametrize(
    ("parse", "text"),
    [(parse_time, "0.5ns"), (parse_time, "1.0000000001s"), (parse_rate, "0.1bit/s"),
     (parse_size, "1.5B")],
)  # fmt: skip
def test_what_is_finer_than_the_smallest_unit_is_refused_rather_than_rounded(parse, text):
    with pytest.raises(ValueError, match="finer than the smallest unit"):
        parse(text)


def test_no_digit_is_rounded_away_however_many_there_are():
    with pytest.raises(ValueError, match="finer than the smallest unit"):
        parse_time("100000000000000000.000000000001s")


@pytest.mark.parametrize("text", ["-1%", "101%", "1.5", "nan", "inf", "half", "", "%"])
def test_a_probability_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"probability|outside"):
        parse_probability(text)


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0 ns"), (999, "999 ns"), (1_000, "1 us"), (1_500, "1.5 us"), (51_200_000, "51.2 ms"),
     (10 * NS_PER_S, "10 s"), (-2_000, "-2 us"), (59 * NS_PER_S, "59 s"), (60 * NS_PER_S, "1 min"),
     (90 * NS_PER_S, "90 s"), (3600 * NS_PER_S, "1 h"), (5400 * NS_PER_S, "90 min")],
)  # fmt: skip
def test_times_print_in_the_unit_that_fits(ns, text):
    assert format_time(ns) == text


@pytest.mark.parametrize(
    ("bps", "text"),
    [(0, "0 bit/s"), (999, "999 bit/s"), (64_000, "64 kbit/s"), (2_500_000_000, "2.5 Gbit/s"),
     (100 * 10**9, "100 Gbit/s"), (10**13, "10 Tbit/s")],
)  # fmt: skip
def test_rates_print_in_the_unit_that_fits(bps, text):
    assert format_rate(bps) == text


@given(st.integers(0, 10**6), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_what_prints_without_loss_parses_back(number, scale):
    number = number % 1000 * scale
    assert parse_time(format_time(number)) == number
    assert parse_rate(format_rate(number)) == number


@pytest.mark.parametrize("parse", [parse_time, parse_rate, parse_size, parse_probability])
@given(st.text(max_size=12))
def test_any_text_is_read_or_quoted_in_the_refusal(parse, text):
    refusal = refusal_of(parse, text)
    assert refusal is None or repr(text) in refusal


def refusal_of(parse, text):
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None
