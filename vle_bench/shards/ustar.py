"""Headers of plain USTAR members: made, and read back with their checksum checked.

Every field that could differ between two runs is fixed (mtime 0, owner 0, mode
0444, no names), so a member's header follows from its name and size alone; a
verifier can make it again and compare bytes. Python's `tarfile` adds a kilobyte
of PAX header per member as soon as an mtime is a float; this never does.
Source: POSIX.1-1988 "ustar", https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache

from isal.isal_zlib import adler32

from vle_bench.errors import DataProblem
from vle_bench.records import KEY_PATTERN

BLOCK = 512
END_OF_ARCHIVE = bytes(2 * BLOCK)
MOST_MEMBER_BYTES = 8**11 - 1
"""Largest size that eleven octal digits can say: 8 GiB less one byte."""

NAME_BYTES = 100
_SIZE_AT = slice(124, 136)
_CHECKSUM_AT = slice(148, 156)
_MAGIC_AT = slice(257, 263)
_PREFIX_AT = slice(345, 500)
_TYPE_AT = 156
_MAGICS = (b"ustar\0", b"ustar ")
_PLAIN_TYPES = (b"0", b"\0")

_OWNERSHIP = b"0000444\0" + b"0000000\0" + b"0000000\0"
_MTIME = b"00000000000\0"
_TAIL = b"0" + bytes(100) + b"ustar\0" + b"00" + bytes(80) + bytes(155) + bytes(12)
# The checksum counts its own eight bytes as spaces.
_CONSTANT_SUM = sum(_OWNERSHIP) + sum(_MTIME) + sum(_TAIL) + 8 * ord(" ")
# Digits of the size and what ends them, checksum, and all that is constant behind it.
_OWN = struct.Struct("124x 11s c 12x 8s 356s")
_OCTAL_DIGITS = b"01234567"

_KEY = re.compile(KEY_PATTERN)
_LONGEST_KEY = 90


class BrokenHeader(ValueError):
    """A 512-byte block that is no header of a plain member; the text says why."""


def check_key(key: str) -> str:
    """Returns `key` if it may name a sample.

    Raises:
        DataProblem: Dots, slashes, capitals, spaces or more than 90 characters; with a suggestion.

    >>> check_key("vqav2-000000000042")
    'vqav2-000000000042'
    """
    if _KEY.fullmatch(key):
        return key
    raise DataProblem(
        f"{key!r} cannot name a sample: 1 to {_LONGEST_KEY} characters a-z, 0-9, _ and - are "
        f"allowed, beginning with a letter or digit. Use {suggested_key(key)!r}."
    )


def suggested_key(key: str) -> str:
    """The nearest allowed key.

    >>> suggested_key("Img v1.2/ä")
    'img-v1-2'
    """
    plain = re.sub(r"[^a-z0-9_-]+", "-", key.lower()).strip("-_")[:_LONGEST_KEY].rstrip("-_")
    return plain or "sample"


def header(name: str, size: int) -> bytes:
    r"""The 512 bytes before a member of `size` bytes.

    Args:
        name: Member name in ASCII, at most 100 characters.
        size: Bytes of content, up to 8 GiB less one.

    Raises:
        DataProblem: The name or the size does not fit into a plain USTAR header.

    >>> len(header("a.json", 5)), header("a.json", 5)[124:136]
    (512, b'00000000005\x00')
    """
    try:
        encoded = name.encode("ascii")
    except UnicodeEncodeError as error:
        raise DataProblem(f"{name!r}: member names are ASCII. Rename it.") from error
    if not 0 < len(encoded) <= NAME_BYTES:
        raise DataProblem(f"{name!r}: member names have 1 to {NAME_BYTES} characters. Rename it.")
    if not 0 <= size <= MOST_MEMBER_BYTES:
        raise DataProblem(f"{name}: {size:,} bytes; a member holds 0 to {MOST_MEMBER_BYTES:,}.")
    digits = b"%011o\0" % size
    checksum = b"%06o\0 " % (_CONSTANT_SUM + sum(encoded) + sum(digits))
    return b"".join((encoded.ljust(NAME_BYTES, b"\0"), _OWNERSHIP, digits, _MTIME, checksum, _TAIL))


def padding(size: int) -> bytes:
    """The zeros that fill the last block of a member of `size` bytes."""
    return bytes(-size % BLOCK)


def padded(size: int) -> int:
    """`size` rounded up to whole blocks.

    >>> padded(0), padded(1), padded(512)
    (0, 512, 512)
    """
    return size + (-size % BLOCK)


def parse_header(
    data: bytes, at: int = 0, *, kinds: tuple[bytes, ...] = _PLAIN_TYPES
) -> tuple[str, int]:
    """Name and size of a plain member.

    Args:
        data: Holds the 512 bytes of the header, and maybe more.
        at: Where they begin.
        kinds: Types of members that are taken; without it, plain files alone.

    Raises:
        BrokenHeader: Too few bytes, wrong checksum, no USTAR magic, or no plain file.
    """
    if len(data) - at < BLOCK:
        raise BrokenHeader(f"{len(data) - at} bytes where a header of {BLOCK} was expected")
    block = data[at : at + BLOCK]
    own = own_size(block)
    if own >= 0:
        return block[:NAME_BYTES].rstrip(b"\0").decode("ascii"), own
    if _octal(block[_CHECKSUM_AT], "checksum") != checksum_of(block):
        raise BrokenHeader("the header's checksum does not match its bytes")
    if block[_MAGIC_AT] not in _MAGICS:
        raise BrokenHeader("the header is not of the USTAR kind")
    kind = block[_TYPE_AT : _TYPE_AT + 1]
    if kind not in kinds:
        raise BrokenHeader(f"a member of type {kind!r}, a plain file was expected")
    if block[_PREFIX_AT].rstrip(b"\0"):
        raise BrokenHeader("a name of more than 100 characters")
    try:
        name = block[:NAME_BYTES].rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError as error:
        raise BrokenHeader("a name that is not ASCII") from error
    return name, _octal(block[_SIZE_AT], "size")


def checksum_of(block: bytes) -> int:
    """What the checksum of a header must be: the sum of its 512 bytes, its own taken as spaces."""
    # Adler's lower half is one more than the sum of bytes, as long as that stays below 65,520: it
    # takes a tenth of the time, and hardly a header is less than half empty.
    quick = block.count(0) >= BLOCK // 2
    total = (adler32(block) & 0xFFFF) - 1 if quick else sum(block)
    return total - sum(block[_CHECKSUM_AT]) + 8 * ord(" ")


def own_size(block: bytes) -> int:
    """Size of a member whose header is as `header` makes them, which is quick to prove.

    Args:
        block: The 512 bytes of the header.

    Returns:
        Bytes; -1 for the header of another writer, a broken one and too few bytes:
        `parse_header` tells those apart.
    """
    if len(block) != BLOCK:
        return -1
    digits, end, checksum, tail = _OWN.unpack(block)
    # Adler's lower half, as in `checksum_of`: ours are ASCII and zeros.
    proved = adler32(block) & 0xFFFF == _own_sum(checksum) and tail == _TAIL
    if proved and end == b"\0" and not digits.strip(_OCTAL_DIGITS) and block.isascii():
        return int(digits, 8)
    return -1


@lru_cache(maxsize=4096)
def _own_sum(checksum: bytes) -> int:
    """One more than the sum of a header's 512 bytes, by its checksum; -1 if not as ours is."""
    digits = checksum[:6]
    if checksum[6:] != b"\0 " or digits.strip(_OCTAL_DIGITS):
        return -1
    return int(digits, 8) - 8 * ord(" ") + sum(checksum) + 1


def _octal(field: bytes, what: str) -> int:
    digits = field.strip(b"\0 ")
    if not digits or digits.strip(_OCTAL_DIGITS):
        raise BrokenHeader(f"the header's {what} is no octal number")
    return int(digits, 8)
