"""Headers against Python's own tarfile, which did not write them."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.errors import DataProblem
from vle_bench.records import KEY_PATTERN
from vle_bench.shards.ustar import (
    END_OF_ARCHIVE,
    MOST_MEMBER_BYTES,
    BrokenHeader,
    check_key,
    checksum_of,
    header,
    own_size,
    padding,
    parse_header,
    suggested_key,
)

KEYS = st.from_regex(KEY_PATTERN, fullmatch=True)


@given(KEYS, st.sampled_from(["jpg", "png", "json"]), st.binary(max_size=1500))
def test_tarfile_reads_what_we_write(key: str, ending: str, content: bytes):
    name = f"{key}.{ending}"
    archive = header(name, len(content)) + content + padding(len(content)) + END_OF_ARCHIVE
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        (member,) = tar.getmembers()
        assert (member.name, member.size, member.mtime) == (name, len(content), 0)
        assert (member.mode, member.uid, member.gid) == (0o444, 0, 0)
        assert (member.uname, member.gname, member.isreg()) == ("", "", True)
        stream = tar.extractfile(member)
        assert stream is not None
        assert stream.read() == content


@given(KEYS, st.integers(0, MOST_MEMBER_BYTES))
def test_a_header_tells_its_name_and_size_again(key: str, size: int):
    assert parse_header(header(key, size)) == (key, size)
    assert own_size(header(key, size)) == size


def test_a_name_may_fill_its_field_and_a_header_must_be_whole():
    name = "a" * 96 + ".jpg"
    assert parse_header(header(name, 1)) == (name, 1)
    assert parse_header(bytes(7) + header(name, 1), 7) == (name, 1)
    with pytest.raises(BrokenHeader, match="100 bytes where a header of 512"):
        parse_header(header(name, 1) + bytes(100), 512)


@given(KEYS, st.integers(0, MOST_MEMBER_BYTES))
def test_our_header_is_the_one_tarfile_makes(key: str, size: int):
    member = tarfile.TarInfo(key)
    member.size, member.mode = size, 0o444
    theirs = member.tobuf(tarfile.USTAR_FORMAT)
    # tarfile writes device numbers as octal zeros, we leave the field empty as POSIX allows.
    ours = header(key, size)
    assert [ours[:148], ours[156:257]] == [theirs[:148], theirs[156:257]]


@given(st.integers(0, 511), st.integers(1, 255))
def test_a_changed_byte_of_a_header_never_passes_as_another_plain_member(at: int, change: int):
    block = bytearray(header("vqav2-000000000042.jpg", 4711))
    block[at] ^= change
    try:
        found = parse_header(bytes(block))
    except BrokenHeader:
        return
    # What may pass is a different spelling of the very same checksum field.
    assert 148 <= at < 156
    assert found == ("vqav2-000000000042.jpg", 4711)


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("img.v1", "img-v1"),
        ("A/B", "a-b"),
        ("Ä", "sample"),
        ("", "sample"),
        ("_leading", "leading"),
        ("x" * 200, "x" * 90),
    ],
)
def test_a_key_that_readers_would_split_wrongly_is_refused_with_a_suggestion(key, suggestion):
    assert suggested_key(key) == suggestion
    assert check_key(suggestion) == suggestion
    with pytest.raises(DataProblem, match=suggestion):
        check_key(key)


@given(st.text(max_size=200))
def test_every_suggestion_is_an_allowed_key(text: str):
    assert check_key(suggested_key(text))


@pytest.mark.parametrize(
    ("name", "size"),
    [("", 1), ("x" * 101, 1), ("ä.json", 1), ("a.json", -1), ("a.json", 8**11)],
)
def test_what_fits_into_no_plain_header_is_refused(name, size):
    with pytest.raises(DataProblem):
        header(name, size)


def test_headers_of_other_kinds_are_named():
    def block(member: tarfile.TarInfo, form: int) -> bytes:
        return member.tobuf(form)[:512]

    folder = tarfile.TarInfo("folder")
    folder.type = tarfile.DIRTYPE
    with pytest.raises(BrokenHeader, match="plain file"):
        parse_header(block(folder, tarfile.USTAR_FORMAT))
    long = tarfile.TarInfo("a" * 90 + "/" + "b" * 90)
    with pytest.raises(BrokenHeader, match="100 characters"):
        parse_header(block(long, tarfile.USTAR_FORMAT))
    with pytest.raises(BrokenHeader, match="512"):
        parse_header(b"short")
    old = bytearray(header("a.json", 1))
    old[257:265] = bytes(8)
    old[148:156] = b"%06o\0 " % (sum(old) - sum(old[148:156]) + 8 * 32)
    with pytest.raises(BrokenHeader, match="USTAR"):
        parse_header(bytes(old))


def _with_size(field: bytes) -> bytes:
    """A header of ours whose size is spelled otherwise, its checksum right again."""
    block = bytearray(header("a.json", 5))
    block[124:136] = field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    ("field", "size"),
    [
        (b"000000000123", 0o123),  # twelve digits and no end, as some writers do
        (b"        123\0", 0o123),
        (b"        123 ", 0o123),
        (b"00000000123 ", 0o123),
    ],
)
def test_sizes_that_other_writers_spell_otherwise_are_read_as_they_mean_them(field, size):
    assert parse_header(_with_size(field)) == ("a.json", size)


@pytest.mark.parametrize(
    "field", [b"+0000000123\0", b"0000_000123\0", b"00000000189\0", b"0o000000123\0", bytes(12)]
)
def test_what_python_calls_a_number_and_tar_does_not_is_no_size(field):
    with pytest.raises(BrokenHeader, match="size"):
        parse_header(_with_size(field))


def test_the_quick_way_leaves_what_is_not_ours_to_the_careful_one():
    foreign = tarfile.TarInfo("a.json")
    foreign.uname = "somebody"
    assert own_size(foreign.tobuf(tarfile.USTAR_FORMAT)) == -1
    for short in (b"", header("a.json", 5)[:-1], header("a.json", 5) + b"\0"):
        assert own_size(short) == -1
    assert own_size(bytes(512)) == -1


@pytest.mark.parametrize("zeros", [0, 255, 256, 257, 400, 512])
@pytest.mark.parametrize("value", [1, 127, 255])
def test_a_checksum_is_the_sum_of_all_bytes_whatever_they_are(zeros: int, value: int):
    block = bytes(zeros) + bytes([value]) * (512 - zeros)
    assert checksum_of(block) == sum(block) - sum(block[148:156]) + 8 * 32
    turned = block[::-1]
    assert checksum_of(turned) == sum(turned) - sum(turned[148:156]) + 8 * 32
