"""Checksums against references: word by word, scapy's, and updates against recomputation."""

from __future__ import annotations

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st
from scapy.layers.inet import IP, in4_chksum
from scapy.layers.inet6 import IPv6 as ScapyIPv6
from scapy.layers.inet6 import in6_chksum
from scapy.layers.sctp import crc32c as scapy_crc32c

from sdnvirt.addresses import Ipv4
from sdnvirt.wire.checksum import (
    crc32c,
    crc32c_change,
    internet_checksum,
    pseudo_header_sum,
    update_checksum16,
    update_checksum32,
)

WORD = st.integers(0, 0xFFFF)
DOUBLE_WORD = st.integers(0, 0xFFFFFFFF)


def word_by_word(data: bytes) -> int:
    total = 0
    for offset in range(0, len(data), 2):
        total += int.from_bytes(data[offset : offset + 2].ljust(2, b"\0"), "big")
        if total > 0xFFFF:
            total = (total & 0xFFFF) + 1
    return total ^ 0xFFFF


def test_the_example_of_rfc_1071() -> None:
    assert internet_checksum(bytes.fromhex("0001 f203 f4f5 f6f7")) == 0xDDF2 ^ 0xFFFF


def test_the_two_zeros_of_ones_complement() -> None:
    assert internet_checksum(b"") == 0xFFFF
    assert internet_checksum(b"\0" * 20) == 0xFFFF
    assert internet_checksum(b"\xff\xff") == 0
    assert internet_checksum(b"\xff\xfe\0\x01") == 0


@given(st.one_of(st.binary(max_size=64), st.lists(st.sampled_from([0, 0xFF])).map(bytes)))
def test_it_is_the_sum_word_by_word(data: bytes) -> None:
    assert internet_checksum(data) == word_by_word(data)


@given(st.integers(0, 3000), st.randoms(use_true_random=False), WORD)
def test_it_takes_packets_of_any_length(size: int, random: Random, initial: int) -> None:
    data = random.randbytes(size)
    assert internet_checksum(data) == word_by_word(data)
    with_initial = initial.to_bytes(2, "big") + data
    assert internet_checksum(data, initial) == word_by_word(with_initial)


@given(st.binary(min_size=1, max_size=64))
def test_data_with_their_checksum_sum_to_zero(data: bytes) -> None:
    even = data + b"\0" * (len(data) & 1)
    assume(any(even))
    assert internet_checksum(even + internet_checksum(data).to_bytes(2, "big")) == 0


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4), st.binary(max_size=40))
def test_the_pseudo_header_of_ipv4(src: bytes, dst: bytes, segment: bytes) -> None:
    ours = internet_checksum(segment, pseudo_header_sum(src, dst, 17, len(segment)))
    assert ours == in4_chksum(17, IP(src=str(Ipv4(src)), dst=str(Ipv4(dst))), segment)


def test_the_pseudo_header_of_ipv6() -> None:
    header = ScapyIPv6(src="2001:db8::1", dst="2001:db8::2")
    src, dst = bytes(header)[8:24], bytes(header)[24:40]
    segment = bytes(range(33))
    ours = internet_checksum(segment, pseudo_header_sum(src, dst, 58, len(segment)))
    assert ours == in6_chksum(58, header, segment)


@given(rest=st.binary(min_size=2, max_size=20), old=WORD, new=WORD)
def test_a_changed_word_updates_the_checksum_as_recomputing_does(
    rest: bytes, old: int, new: int
) -> None:
    assume(any(rest))
    before = internet_checksum(old.to_bytes(2, "big") + rest)
    after = internet_checksum(new.to_bytes(2, "big") + rest)
    assert update_checksum16(before, old, new) == after


@given(rest=st.binary(min_size=2, max_size=20), old=DOUBLE_WORD, new=DOUBLE_WORD)
def test_a_changed_address_updates_the_checksum_as_recomputing_does(
    rest: bytes, old: int, new: int
) -> None:
    assume(any(rest))
    before = internet_checksum(old.to_bytes(4, "big") + rest)
    after = internet_checksum(new.to_bytes(4, "big") + rest)
    assert update_checksum32(before, old, new) == after


def test_the_example_of_rfc_1624() -> None:
    assert update_checksum16(0xDD2F, 0x5555, 0x3285) == 0x0000


def test_the_crc32c_of_the_usual_example() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@given(st.binary(max_size=80))
def test_crc32c_is_that_of_scapy(data: bytes) -> None:
    assert crc32c(data) == int.from_bytes(scapy_crc32c(data).to_bytes(4, "big"), "little")


@given(
    st.binary(max_size=40).flatmap(
        lambda a: st.tuples(st.just(a), st.binary(min_size=len(a), max_size=len(a)))
    ),
    st.binary(max_size=20),
    st.binary(max_size=40),
)
def test_a_change_of_crc32c_depends_on_the_difference_and_what_is_behind(
    texts: tuple[bytes, bytes], before: bytes, behind: bytes
) -> None:
    old, new = texts
    change = crc32c_change(old + bytes(len(behind)), new + bytes(len(behind)))
    assert crc32c(before + old + behind) ^ change == crc32c(before + new + behind)


@given(st.integers(900, 9000), st.binary(min_size=1, max_size=50), st.integers(0, 1 << 40))
def test_long_data_are_folded_to_the_same_sum(length: int, pattern: bytes, initial: int) -> None:
    data = (pattern * (length // len(pattern) + 1))[:length]
    padded = data + b"\0" * (length % 2)
    words = sum(int.from_bytes(padded[n : n + 2], "big") for n in range(0, len(padded), 2))
    total = words + initial
    expected = 0xFFFF - (total % 0xFFFF or 0xFFFF) if total else 0xFFFF
    assert internet_checksum(data, initial) == expected
