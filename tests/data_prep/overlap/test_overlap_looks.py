"""Copies are known by their looks, and pictures that are no copies are not taken for one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from overlap_world import copied, draw, encoded
from PIL import Image, ImageOps

from vle_bench.data_prep.overlap import likeness
from vle_bench.data_prep.overlap.bands import HashIndex, differing
from vle_bench.data_prep.overlap.thumbnail import NoThumbnail, grey_thumbnail, turned
from vle_bench.data_prep.picture import probe

PICTURES = 300


def spectrum(data: bytes) -> np.ndarray:
    return likeness.spectra(grey_thumbnail(data)[None])


def spectra(pictures: list[bytes]) -> np.ndarray:
    return likeness.spectra(np.stack([grey_thumbnail(one) for one in pictures]))


def alike(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The rule, pair by pair."""
    apart = differing(likeness.hashes(one), likeness.hashes(other))
    return (likeness.correlation(one, other) >= likeness.LEAST_CORRELATION) & (
        apart <= likeness.MOST_BITS
    )


@pytest.fixture(scope="module")
def originals() -> list[bytes]:
    return [encoded(draw(seed)) for seed in range(PICTURES)]


def test_ninety_five_of_a_hundred_copies_are_found(originals) -> None:
    copies = [copied(data, seed) for seed, data in enumerate(originals)]
    found = alike(spectra(originals), spectra(copies))
    assert found.mean() >= 0.95, f"{found.sum()} of {len(found)}"


def test_of_copies_at_every_corner_of_the_promise_none_is_missed(originals) -> None:
    mine = spectra(originals[:40])
    for scale in (0.3, 2.0):
        for quality in (30, 95):
            pictures = [Image.open(io.BytesIO(data)) for data in originals[:40]]
            sizes = [(round(one.width * scale), round(one.height * scale)) for one in pictures]
            copies = [
                encoded(one.resize(size), quality=quality)
                for one, size in zip(pictures, sizes, strict=True)
            ]
            assert alike(mine, spectra(copies)).mean() >= 0.95, (scale, quality)


def test_of_a_thousand_pictures_without_a_copy_none_is_flagged(originals) -> None:
    mine = spectra(originals)
    one, other = np.triu_indices(len(mine), k=1)
    assert not alike(mine[one], mine[other]).any()


def test_pictures_of_one_layout_with_other_things_in_it_are_no_copies() -> None:
    mine = spectra([encoded(draw(seed, layout=seed // 8)) for seed in range(160)])
    one, other = np.triu_indices(len(mine), k=1)
    same_layout = one // 8 == other // 8
    flagged = alike(mine[one], mine[other])
    assert same_layout.sum() == 560
    assert not flagged.any(), f"{flagged[same_layout].sum()} of one layout"


def test_symmetric_pictures_have_copies_too(originals) -> None:
    folded = []
    for data in originals[:60]:
        picture = Image.open(io.BytesIO(data))
        half = picture.crop((0, 0, 200, 300))
        picture.paste(ImageOps.mirror(half), (200, 0))
        folded.append(encoded(picture, "PNG"))
    copies = [copied(data, seed) for seed, data in enumerate(folded)]
    assert alike(spectra(folded), spectra(copies)).mean() >= 0.95


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGB"), ("WEBP", "RGB"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "CMYK"), ("PNG", "LA")],
)
def test_every_way_to_store_a_picture_gives_nearly_the_same_thumbnail(originals, kind, mode):
    picture = Image.open(io.BytesIO(originals[3])).convert("RGB")
    changed = picture.convert("L").convert("LA") if mode == "LA" else picture.convert(mode)
    other = grey_thumbnail(encoded(changed, kind)).astype(int)
    difference = np.abs(other - grey_thumbnail(originals[3]).astype(int))
    assert difference.mean() < 3


def test_sixteen_bits_a_pixel_are_read_over_their_whole_range() -> None:
    eight = draw(4).convert("L")
    deep = Image.fromarray(np.asarray(eight).astype(np.uint16) * 257)
    assert deep.mode.startswith("I")
    same = grey_thumbnail(encoded(deep, "PNG")) == grey_thumbnail(encoded(eight, "PNG"))
    assert same.all()


def test_what_is_transparent_is_white() -> None:
    nothing = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert (grey_thumbnail(encoded(nothing, "PNG")) == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_thumbnail_turns_as_viewers_turn_the_picture(orientation) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = encoded(draw(6, size=(320, 320)), exif=exif)
    shown = encoded(ImageOps.exif_transpose(Image.open(io.BytesIO(stored))), "PNG")
    found = turned(grey_thumbnail(stored), probe(stored).orientation).astype(int)
    assert np.abs(found - grey_thumbnail(shown).astype(int)).max() <= 2


def test_a_damaged_picture_has_no_thumbnail() -> None:
    whole = encoded(draw(1), "PNG")
    for data in (whole[:600], b"", b"<html>", whole[:100] + bytes(200) + whole[300:]):
        with pytest.raises(NoThumbnail):
            grey_thumbnail(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_second_header_that_claims_a_huge_picture_is_not_believed() -> None:
    whole = encoded(draw(2))
    scan = whole.index(b"\xff\xda")
    frame = whole.index(b"\xff\xc0")
    length = int.from_bytes(whole[frame + 2 : frame + 4], "big")
    huge = bytearray(whole[frame : frame + 2 + length])
    huge[5:9] = (10_000).to_bytes(2, "big") * 2
    with pytest.raises(NoThumbnail, match="too many pixels"):
        grey_thumbnail(whole[:scan] + bytes(huge) + whole[scan:])


def test_flat_pictures_and_slopes_are_featureless_and_low_contrast_is_told_apart() -> None:
    slope = Image.linear_gradient("L").resize((300, 200))
    round_slope = Image.radial_gradient("L").resize((300, 200))
    mean = Image.new("RGB", (400, 300), (128, 128, 128))
    for flat in (slope, slope.transpose(Image.Transpose.ROTATE_90), round_slope, mean):
        assert likeness.texture(spectrum(encoded(flat)))[0] < likeness.LEAST_TEXTURE
    picture = draw(9)
    assert likeness.texture(spectrum(encoded(picture)))[0] > 4 * likeness.LEAST_TEXTURE
    pale = Image.blend(mean, picture, 0.05)
    assert likeness.texture(spectrum(encoded(pale)))[0] < likeness.LEAST_TEXTURE


def test_brightness_and_contrast_change_nothing() -> None:
    dark = draw(5).point(lambda value: 20 + value // 2)
    assert alike(spectrum(encoded(draw(5))), spectrum(encoded(dark))).all()


HASHES = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20)
TURNS = st.lists(st.sets(st.integers(0, 63), max_size=10), max_size=20)


@given(hashes=HASHES, turns=TURNS)
def test_the_index_finds_just_the_pairs_that_differ_in_seven_bits_or_fewer(hashes, turns) -> None:
    queries = [
        hashes[number % len(hashes)] ^ sum(1 << bit for bit in bits)
        for number, bits in enumerate(turns)
    ]
    near = HashIndex(np.array(hashes, np.uint64)).near(np.array(queries, np.uint64))
    found = list(zip(near.query.tolist(), near.found.tolist(), strict=True))
    expected = [
        (query, place)
        for query, mine in enumerate(queries)
        for place, other in enumerate(hashes)
        if (mine ^ other).bit_count() <= 7
    ]
    assert found == expected


def test_many_equal_hashes_are_looked_through_in_portions(monkeypatch) -> None:
    monkeypatch.setattr("vle_bench.data_prep.overlap.bands._MOST_AT_ONCE", 50)
    near = HashIndex(np.full(40, 5, np.uint64)).near(np.full(30, 7, np.uint64))
    assert len(near.query) == 1200
    assert len(set(zip(near.query.tolist(), near.found.tolist(), strict=True))) == 1200


def test_real_photographs_have_copies_and_are_none_of_each_other(reference) -> None:
    folder = reference / "data/enginbozaba+tiny_coco/images"
    photos = [path.read_bytes() for path in sorted(folder.rglob("*.jpg"))]
    assert len(photos) >= 30
    mine = spectra(photos)
    assert (likeness.texture(mine) > likeness.LEAST_TEXTURE).all()
    for seed in range(4):
        copies = spectra([copied(data, seed * 100 + at) for at, data in enumerate(photos)])
        assert alike(mine, copies).mean() >= 0.95
    one, other = np.triu_indices(len(mine), k=1)
    assert not alike(mine[one], mine[other]).any()
