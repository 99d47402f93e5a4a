"""TCP segments over IPv4 and IPv6, with scapy as the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire.checksum import ChecksumError, internet_checksum, pseudo_header_sum
from sdnvirt.wire.tcp import ACK, FIN, PSH, RST, SYN, URG, SynOptions, Tcp

U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
TIMES = st.one_of(st.none(), st.tuples(U32, U32))
ADDRESSES = st.one_of(
    st.tuples(*2 * [st.binary(min_size=4, max_size=4)]),
    st.tuples(*2 * [st.binary(min_size=16, max_size=16)]),
)

SEGMENTS = st.builds(
    Tcp, U16, U16, U32, U32, st.integers(0, 255).map(lambda flags: flags & ~SYN), U16,
    st.binary(max_size=60), TIMES, st.lists(st.tuples(U32, U32), max_size=3).map(tuple),
    urgent=U16,
)  # fmt: skip
OPENINGS = st.builds(
    Tcp, U16, U16, U32, U32, st.integers(0, 255).map(lambda flags: flags | SYN), U16,
    st.binary(max_size=60), TIMES, syn_options=st.builds(
        SynOptions, st.one_of(st.none(), U16), st.one_of(st.none(), st.integers(0, 255)),
        st.booleans(),
    ), urgent=U16,
)  # fmt: skip
ANY = st.one_of(SEGMENTS, OPENINGS)

A, B = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
SEGMENT = Tcp(4000, 80, 1000, 2000, PSH | ACK, 512, b"GET /", (7, 8))


def with_options(options: bytes, flags: int = ACK) -> bytes:
    """Return a segment with these option bytes and a right checksum."""
    data = bytearray(Tcp(1, 2, 3, 4, flags, 5, options).emit(A, B))
    data[12] = (20 + len(options)) // 4 << 4
    data[16:18] = b"\0\0"
    checksum = internet_checksum(bytes(data), pseudo_header_sum(A, B, 6, len(data)))
    data[16:18] = checksum.to_bytes(2, "big")
    return bytes(data)


@given(ANY, ADDRESSES)
def test_what_is_emitted_parses_to_the_same_segment(segment: Tcp, ends) -> None:
    assert Tcp.parse(segment.emit(*ends), *ends) == segment


def scapy_options(segment: Tcp) -> list[tuple]:
    """Return the options of a segment as scapy is told them, padding included."""
    offered = segment.syn_options
    options: list[tuple] = []
    if offered.mss is not None:
        options += [("MSS", offered.mss)]
    if offered.window_scale is not None:
        options += [("NOP", None), ("WScale", offered.window_scale)]
    if offered.sack_permitted:
        options += [("NOP", None), ("NOP", None), ("SAckOK", b"")]
    if segment.timestamp is not None:
        options += [("NOP", None), ("NOP", None), ("Timestamp", segment.timestamp)]
    if segment.sack:
        edges = tuple(edge for block in segment.sack for edge in block)
        options += [("NOP", None), ("NOP", None), ("SAck", edges)]
    return options


@given(ANY, ADDRESSES)
def test_bytes_are_those_of_scapy(segment: Tcp, ends) -> None:
    version = IP if len(ends[0]) == 4 else IPv6
    header = TCP(
        sport=segment.src_port, dport=segment.dst_port, seq=segment.seq, ack=segment.ack,
        flags=segment.flags, window=segment.window, urgptr=segment.urgent,
        options=scapy_options(segment),
    )  # fmt: skip
    packet = version(src=text(ends[0]), dst=text(ends[1])) / header / segment.payload
    assert bytes(packet)[-len(segment.emit(*ends)) :] == segment.emit(*ends)


def text(address: bytes) -> str:
    if len(address) == 4:
        return ".".join(map(str, address))
    return ":".join(address[n : n + 2].hex() for n in range(0, 16, 2))


def test_length_counts_data_syn_and_fin() -> None:
    assert SEGMENT.length == 5
    assert Tcp(1, 2, 3, 0, SYN, 5).length == 1
    assert Tcp(1, 2, 3, 0, SYN | FIN, 5, b"ab").length == 4
    assert Tcp(1, 2, 3, 4, RST | ACK | URG, 5).length == 0


def test_a_cut_segment_is_noticed() -> None:
    data = SEGMENT.emit(A, B)
    for length in range(len(data)):
        with pytest.raises(WireError):
            Tcp.parse(data[:length], A, B)
    with pytest.raises(TruncatedError):
        Tcp.parse(data[:19], A, B)


@given(ANY, ADDRESSES, st.data())
def test_any_corrupted_byte_is_noticed(segment: Tcp, ends, data: st.DataObject) -> None:
    corrupted = bytearray(segment.emit(*ends))
    at = data.draw(st.integers(0, len(corrupted) - 1))
    change = data.draw(st.integers(1, 255))
    old = bytes(corrupted)
    corrupted[at] ^= change
    word = at & ~1
    # The two zeros of one's complement are the one change that the sum does not see.
    pair = {old[word : word + 2].ljust(2, b"\0"), bytes(corrupted[word : word + 2]).ljust(2, b"\0")}
    if pair == {b"\0\0", b"\xff\xff"}:
        return
    with pytest.raises(ChecksumError):
        Tcp.parse(bytes(corrupted), *ends)


def test_other_addresses_fail_the_checksum() -> None:
    with pytest.raises(ChecksumError):
        Tcp.parse(SEGMENT.emit(A, B), A, A)


@pytest.mark.parametrize("words", range(5))
def test_a_header_that_ends_in_itself_is_malformed(words: int) -> None:
    data = bytearray(with_options(b""))
    data[12] = words << 4
    data[16:18] = b"\0\0"
    total = pseudo_header_sum(A, B, 6, len(data))
    data[16:18] = internet_checksum(bytes(data), total).to_bytes(2, "big")
    with pytest.raises(MalformedError):
        Tcp.parse(bytes(data), A, B)


class TestOptions:
    def test_unknown_ones_are_skipped(self) -> None:
        data = with_options(bytes([254, 6, 1, 2, 3, 4, 1, 1, 8, 10, *bytes(7), 9, 0, 0]))
        assert Tcp.parse(data, A, B).timestamp == (0, 9)

    def test_none_is_looked_for_behind_the_end(self) -> None:
        data = with_options(bytes([0, 0, 8, 10]))
        assert Tcp.parse(data, A, B) == Tcp(1, 2, 3, 4, ACK, 5)

    def test_those_of_a_syn_count_only_there(self) -> None:
        options = bytes([2, 4, 5, 0xB4, 1, 3, 3, 7, 4, 2, 1, 1])
        offered = Tcp.parse(with_options(options, SYN), A, B).syn_options
        assert offered == SynOptions(1460, 7, True)
        assert Tcp.parse(with_options(options), A, B).syn_options == SynOptions()

    @pytest.mark.parametrize(
        "options",
        [(254, 0, 0, 0), (254, 1, 0, 0), (2, 3, 1, 0), (3, 4, 1, 0), (4, 3, 1, 0), (5, 2, 0, 0),
         (5, 6, 0, 0, 0, 0, 0, 0), (8, 4, 0, 0)],
        ids=str,
    )  # fmt: skip
    def test_an_illegal_length_is_malformed(self, options: tuple[int, ...]) -> None:
        with pytest.raises(MalformedError):
            Tcp.parse(with_options(bytes(options), SYN), A, B)

    @pytest.mark.parametrize("options", [(1, 1, 1, 2), (1, 1, 2, 4), (254, 40, 1, 1)], ids=str)
    def test_one_that_is_cut_short_is_truncated(self, options: tuple[int, ...]) -> None:
        with pytest.raises(TruncatedError):
            Tcp.parse(with_options(bytes(options)), A, B)

    @given(st.binary(max_size=40).filter(lambda options: not len(options) % 4), st.booleans())
    def test_rubbish_is_a_wire_error_or_parses(self, options: bytes, syn: bool) -> None:
        try:
            segment = Tcp.parse(with_options(options, SYN if syn else ACK), A, B)
        except WireError:
            return
        assert segment.payload == b""


@given(st.binary(max_size=80))
def test_rubbish_is_a_wire_error_or_parses(rubbish: bytes) -> None:
    try:
        Tcp.parse(rubbish, A, B)
    except WireError:
        return


def test_text() -> None:
    assert str(SEGMENT) == "TCP, 4000 > 80 [P.], seq 1000, ack 2000, win 512, length 5"
    sacked = Tcp(1, 2, 3, 4, ACK, 5, sack=((8, 9), (6, 7)))
    assert str(sacked) == "TCP, 1 > 2 [.], seq 3, ack 4, win 5, sack 8-9 6-7, length 0"
    assert str(Tcp(1, 2, 3, 0, 0, 5)) == "TCP, 1 > 2 [none], seq 3, win 5, length 0"
