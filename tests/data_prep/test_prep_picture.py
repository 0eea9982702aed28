"""The probe against Pillow, and against everything that calls itself a picture."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.data_prep import picture
from vle_bench.data_prep.picture import BadPicture, Probe, probe, read_picture
from vle_bench.data_prep.sources import PictureFile

Image = pytest.importorskip("PIL.Image")


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (37, 21), **options) -> bytes:
    stream = io.BytesIO()
    gradient = Image.linear_gradient("L").resize(size)
    gradient.convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def oriented(kind: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(kind, exif=exif)


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (encoded("JPEG"), "jpg"),
        (encoded("JPEG", progressive=True), "jpg"),
        (encoded("JPEG", "L"), "jpg"),
        (encoded("JPEG", "CMYK"), "jpg"),
        (encoded("JPEG", icc_profile=b"x" * 70_000), "jpg"),
        (encoded("PNG"), "png"),
        (encoded("PNG", "P"), "png"),
        (encoded("WEBP"), "webp"),
        (encoded("WEBP", "RGBA", lossless=True), "webp"),
    ],
)
def test_format_and_size_are_those_of_the_content(data: bytes, form: str):
    assert probe(data)[:4] == (form, 37, 21, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_read_in_every_format(kind: str, orientation: int):
    assert probe(oriented(kind, orientation)).orientation == orientation


@pytest.mark.parametrize("odd", [0, 9, 77])
def test_an_orientation_that_means_nothing_is_upright(odd: int):
    assert probe(oriented("JPEG", odd)).orientation == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_of_exif_are_read(order: str):
    import struct

    magic = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(f"{order}HHLHH", 0x0100, 3, 1, 5, 0)
    entries += struct.pack(f"{order}HHLHH", 0x0112, 3, 1, 6, 0)
    tiff = magic + struct.pack(f"{order}LH", 8, 2) + entries
    plain = encoded("JPEG")
    body = b"Exif\0\0" + tiff
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]
    assert probe(data).orientation == 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@given(st.floats(0.05, 0.999))
def test_a_picture_cut_short_is_never_taken(kind: str, share: float):
    data = encoded(kind)
    cut = data[: max(int(len(data) * share), 1)]
    with pytest.raises(BadPicture):
        probe(cut)


def test_two_bytes_less_are_a_cut_and_bytes_behind_the_end_are_not():
    data = encoded("JPEG")
    with pytest.raises(BadPicture, match="cut short"):
        probe(data[:-2])
    assert probe(data + b"\0\0 camera notes").format == "jpg"


def test_the_end_mark_of_an_embedded_thumbnail_is_not_the_picture_s():
    thumbnail = encoded("JPEG", size=(8, 8))
    plain = encoded("JPEG")
    note = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = plain[:2] + note + plain[2:]
    assert probe(whole) == Probe("jpg", 37, 21, 1)
    with pytest.raises(BadPicture, match="cut short"):
        probe(whole[:-40])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "picture file empty"),
        (b"\r\n <!DOCTYPE HTML><html>", "picture is an HTML page"),
        (b"<html><body>403", "picture is an HTML page"),
        (b"<?xml version='1.0'?><Error/>", "picture is an HTML page"),
        (b"GIF89a....", "picture format gif not supported"),
        (b"BM......", "picture format bmp not supported"),
        (b"II*\0....", "picture format tiff not supported"),
        (b"\0\0\0\x20ftypavif....", "picture format avif not supported"),
        (b"\0\0\0\x18ftypheic....", "picture format heic not supported"),
        (b"\0\0\0\x18ftypmp42....", "not a picture"),
        (b"\xff\x0a......", "picture format jpeg xl not supported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture format svg not supported"),
        (b"<?xml version='1.0'?><!-- a --><svg/>", "picture format svg not supported"),
        (b"\xff\xd8", "picture cut short"),
        (b"hello", "not a picture"),
        (b"\xff\xd8\xff\xe0\x00\x04ab" + b"no marker", "picture header broken"),
        (b"\xff\xd8\xff\xda\x00\x02\xff\xd9", "picture header broken"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "picture header broken"),
        (b"RIFF\x04\0\0\0WEBP", "picture header broken"),
        (encoded("WEBP", exif=b"Exif\0\0II*\0"), "picture header broken"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(data: bytes, reason: str):
    with pytest.raises(BadPicture) as caught:
        probe(data)
    assert str(caught.value) == reason


def test_a_picture_without_a_pixel_or_of_too_many_is_refused():
    data = bytearray(encoded("PNG"))
    data[16:20] = bytes(4)
    with pytest.raises(BadPicture, match="without a pixel"):
        probe(bytes(data))
    data[16:24] = b"\0\1\0\0\0\1\0\0"
    with pytest.raises(BadPicture, match="too many pixels"):
        probe(bytes(data))


@given(st.binary(max_size=300), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF"]))
def test_whatever_the_bytes_the_answer_is_a_probe_or_a_reason(tail: bytes, magic: bytes):
    with suppress(BadPicture):
        assert probe(magic + tail).width > 0


@given(st.integers(2, 600), st.integers(0, 255))
def test_a_changed_byte_never_breaks_the_probe(at: int, value: int):
    data = bytearray(oriented("JPEG", 6))
    data[at % len(data)] = value
    with suppress(BadPicture):
        assert probe(bytes(data)).format == "jpg"


def test_a_file_too_large_to_be_a_picture_is_not_read(tmp_path: Path, monkeypatch):
    path = tmp_path / "1.jpg"
    path.write_bytes(encoded("JPEG"))
    monkeypatch.setattr(picture, "MOST_PICTURE_BYTES", 10)
    with pytest.raises(BadPicture, match="too large"):
        read_picture(PictureFile("1.jpg", str(path)))
