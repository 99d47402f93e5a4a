"""Checksums: the internet's (RFC 1071) with its pseudo header and update (RFC 1624), and CRC32c.

The internet sum is computed on one large integer: 2**16 is 1 modulo 65535, so the remainder of the
whole data as a number is the one's complement sum of its 16-bit words. The remainder cannot tell
the two zeros of one's complement apart; only data that are all zero have the sum 0, all others have
65535.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.errors import MalformedError

_CASTAGNOLI: Final = 0x82F63B78
"""The polynomial of CRC32c, lowest power in the highest bit (RFC 9260, appendix A)."""


_LONG: Final = 512
"""From so many bytes on the two halves are added first: a remainder costs more than that."""


class ChecksumError(MalformedError):
    """A checksum that does not fit the bytes; apart from other errors so that it can be counted."""


def internet_checksum(data: bytes, initial: int = 0) -> int:
    """Return the internet checksum of the bytes, padded to 16 bits with zero (RFC 1071, 1).

    Over bytes that hold a right checksum it is 0.

    Args:
        data: the bytes, with zero in the checksum field to compute it.
        initial: a sum to begin with, as from :func:`pseudo_header_sum`.

    Returns:
        the checksum, 0 to 65535.
    """
    size = len(data)
    if size >= _LONG:
        half = size >> 2 << 1  # of whole words
        initial += int.from_bytes(data[:half], "big")
        data = data[half:]
    total = int.from_bytes(data, "big")
    if size & 1:
        total <<= 8
    total += initial
    return 0xFFFF - (total % 0xFFFF or 0xFFFF) if total else 0xFFFF


def address_sum(src: bytes, dst: bytes) -> int:
    """Return what two addresses of one length, 4 or 16 bytes, add to a checksum."""
    return int.from_bytes(src + dst, "big")  # whole words both, so it is the sum


def pseudo_header_sum(src: bytes, dst: bytes, protocol: int, length: int) -> int:
    """Return what the pseudo header adds to the checksum of UDP, TCP or ICMPv6.

    The fields of IPv4 (RFC 768) and IPv6 (RFC 8200, 8.1) differ in width only, and the sum does
    not see the width.

    Args:
        src: source address, 4 or 16 bytes.
        dst: destination address, of the same length.
        protocol: the IP protocol number, 8 bits.
        length: bytes of the segment, header included.

    Returns:
        a sum to give to :func:`internet_checksum`; not folded to 16 bits.
    """
    return address_sum(src, dst) + protocol + length


def update_checksum16(checksum: int, old: int, new: int) -> int:
    """Return the checksum after one 16-bit word changed (RFC 1624, equation 3).

    It equals a recomputation unless every word summed is zero, which headers of IP never are. For
    UDP the caller keeps 0 ("none") as it is and sends 65535 for a result of 0 (RFC 768).

    Args:
        checksum: the checksum before, 0 to 65535.
        old: the word before, 16 bits.
        new: the word after, 16 bits.

    Returns:
        the checksum after, 0 to 65535.
    """
    total = (0xFFFF - checksum) + (0xFFFF - old) + new
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - ((total & 0xFFFF) + (total >> 16))


def update_checksum32(checksum: int, old: int, new: int) -> int:
    """Return the checksum after an aligned 32-bit word changed, such as an IPv4 address.

    Args:
        checksum: the checksum before, 0 to 65535.
        old: the double word before, 32 bits.
        new: the double word after, 32 bits.

    Returns:
        the checksum after, 0 to 65535, as of :func:`update_checksum16`.
    """
    checksum = update_checksum16(checksum, old >> 16, new >> 16)
    return update_checksum16(checksum, old & 0xFFFF, new & 0xFFFF)


def _remainders() -> tuple[int, ...]:
    """Return what each value of a byte adds to a CRC32c."""
    table = []
    for remainder in range(256):
        for _ in range(8):
            remainder = remainder >> 1 ^ (_CASTAGNOLI if remainder & 1 else 0)
        table.append(remainder)
    return tuple(table)


_REMAINDERS: Final = _remainders()


def _divide(remainder: int, data: bytes) -> int:
    for byte in data:
        remainder = remainder >> 8 ^ _REMAINDERS[(remainder ^ byte) & 0xFF]
    return remainder


def crc32c(data: bytes) -> int:
    """Return the CRC32c of the bytes, as SCTP sends it lowest byte first (RFC 9260, appendix A)."""
    return _divide(0xFFFFFFFF, data) ^ 0xFFFFFFFF


def crc32c_change(before: bytes, after: bytes) -> int:
    """Return in which bits the CRC32c of two texts of one length differs.

    A CRC is linear: the difference depends on the bits that differ only, so a checksum can be
    brought up to date without being right before.
    """
    length = len(before)
    bits = int.from_bytes(before, "big") ^ int.from_bytes(after, "big")
    return _divide(0, bits.to_bytes(length, "big"))
