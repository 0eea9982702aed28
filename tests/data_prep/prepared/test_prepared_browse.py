"""`vle-prep browse` as a file: what is in it, how large it is, and that it is the same again."""

from __future__ import annotations

import base64
import io
import json
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.data_prep.browse.draw import draw
from vle_bench.data_prep.browse.entry import entry
from vle_bench.data_prep.browse.targets import TargetMaker, rectangles
from vle_bench.data_prep.browse.views import views_of
from vle_bench.data_prep.prepared import AnySample, prepared_datasets
from vle_bench.labels.vocabulary import coco_vocabulary
from vle_bench.pages.thumbnail import NoThumbnail, thumbnail
from vle_bench.patches.grid import PatchGrid
from vle_bench.records import Picture, VcrItem, VcrToken
from vle_bench.shards.index import SampleRow, read_samples, write_samples
from vle_bench.shards.layout import SAMPLES


def data_of(page: Path) -> dict:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found is not None
    return json.loads(found[1])


@pytest.fixture
def page(prep, street: Path, tmp_path: Path) -> Path:
    made = tmp_path / "page.html"
    assert prep("browse", street, "--html", made) == 0
    return made


def test_every_picture_comes_with_its_boxes_words_and_facts(page: Path):
    one, two, _, four = data_of(page)["pictures"]
    assert [picture["key"] for picture in (one, two, four)] == ["toy-0001", "toy-0002", "toy-0004"]
    assert [(box["kind"], box["label"], box["phrase"]) for box in one["boxes"]] == [
        ("object", "bus", ""),
        ("region", "", "a <b>busy</b> street"),
        ("crowd", "person", ""),
    ]
    assert one["boxes"][0]["xywh"] == [4, 6, 30.5, 20]
    assert one["questions"][0]["answers"] == [["yes", 7], ["no", 3]]
    assert one["questions"][0]["targets"] == [["label 0", 1.0], ["label 1", 0.9]]
    facts = dict(one["facts"])
    assert (facts["licence"], facts["COCO id"]) == ("CC BY 2.0", "77")
    assert dict(two["facts"])["EXIF orientation"] == "6 (shown as stored, not turned)"
    assert four["split"] == "test"


def test_boxes_bring_the_patches_of_the_published_rule(prep, street: Path, tmp_path: Path):
    page = tmp_path / "p.html"
    assert prep("browse", street, "--html", page, "--image-size", 64, "--patch-size", 16) == 0
    views = data_of(page)["pictures"][0]["views"]
    # 64 x 48 pixels in 4 x 4 patches of 16 x 12: x from 4 to 34.5, y from 6 to 26.
    assert views["stretch"]["patches"][:2] == [[0, 0, 3, 3], [0, 0, 4, 4]]
    # The middle in patches of 12.05 x 12, from x 7.53 on: x from -3.53 to 26.97, y from 6 to 26.
    assert views["center_crop"]["patches"][:2] == [[0, 0, 3, 3], [0, 0, 4, 4]]
    # x from 40 - 7.53 to past the cut; y from 30 to 40.
    assert views["center_crop"]["patches"][2] == [2, 2, 4, 4]


def test_frames_are_what_the_model_sees_of_the_stored_picture(prep, street: Path, tmp_path: Path):
    page = tmp_path / "p.html"
    assert prep("browse", street, "--html", page, "--image-size", 64, "--patch-size", 16) == 0
    document = data_of(page)
    assert document["about"]["views"] == ["stretch", "center_crop", "random_resized_crop"]
    wide, tall, _, square = (picture["views"] for picture in document["pictures"])
    assert wide["stretch"]["frame"] == [0, 0, 64, 48]
    # 48 of 64 become 64 of 85 (the other side is rounded down), and of those 10 to 74 are kept.
    assert wide["center_crop"]["frame"] == [7.53, 0, 55.72, 48]
    assert tall["center_crop"]["frame"] == [0, 7.53, 48, 55.72]
    assert square["center_crop"]["frame"] == [0, 0, 40, 40]
    assert not any(wide[name]["mirrored"] for name in ("stretch", "center_crop"))


def test_random_cuts_lie_in_the_picture_and_come_of_key_and_seed_alone():
    sizes = [(640, 480), (480, 640), (1, 1), (1, 3000), (3000, 7)]
    turned = 0
    for number in range(200):
        width, height = sizes[number % len(sizes)]
        views = views_of(f"k-{number}", width, height, image_size=32, seed=3)
        cut = views["random_resized_crop"]
        turned += cut.x.scale < 0
        x0, y0, x1, y1 = cut.to_stored(np.array([[0.0, 0.0, 32.0, 32.0]]))[0]
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert views == views_of(f"k-{number}", width, height, image_size=32, seed=3)
        if (width, height) == (640, 480):
            assert (x1 - x0) * (y1 - y0) >= 0.33 * width * height
    assert 60 < turned < 140
    other = views_of("k-0", 640, 480, image_size=32, seed=4)["random_resized_crop"]
    assert other != views_of("k-0", 640, 480, image_size=32, seed=3)["random_resized_crop"]


@given(st.integers(1, 9), st.sets(st.integers(0, 80)))
def test_rectangles_hold_just_the_patches_they_were_made_of(columns: int, patches: set[int]):
    sides = rectangles(patches, columns=columns)
    found = [
        row * columns + column
        for left, top, right, bottom in zip(*[iter(sides)] * 4, strict=True)
        for row in range(top, bottom)
        for column in range(left, right)
    ]
    assert sorted(found) == sorted(patches)
    assert rectangles(sorted(patches, reverse=True), columns=columns) == sides


def test_answers_of_soft_targets_have_their_names(prep, street: Path, tmp_path: Path):
    (street / "answers").mkdir()
    (street / "answers/label2answer.json").write_text('["yes", "no"]', encoding="utf-8")
    page = tmp_path / "p.html"
    assert prep("browse", street, "--html", page) == 0
    assert data_of(page)["pictures"][0]["questions"][0]["targets"] == [["yes", 1.0], ["no", 0.9]]


def test_words_from_strangers_cannot_end_the_data(page: Path):
    text = page.read_text(encoding="utf-8")
    assert "owned" in text
    assert "<script>document.title" not in text
    assert text.count("</script>") == 2
    assert data_of(page)["pictures"][0]["captions"][1].startswith("</script>")


def test_a_picture_that_cannot_be_decoded_is_still_listed(page: Path):
    lost = data_of(page)["pictures"][2]
    assert (lost["key"], lost["src"], lost["captions"]) == ("toy-0003", "", ["Lost."])


def test_the_sample_world_is_named_as_such(page: Path):
    assert data_of(page)["about"]["sample"] is True


def test_thumbnails_are_small_rgb_and_not_turned(make):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    small = thumbnail(make.photo(3000, 1500, exif=exif))
    with Image.open(io.BytesIO(small)) as picture:
        assert (picture.size, picture.mode, dict(picture.getexif())) == ((640, 320), "RGB", {})


def test_a_noisy_picture_stays_within_its_bytes():
    from PIL import Image

    noise = Image.effect_noise((900, 900), 200).convert("RGB")
    stream = io.BytesIO()
    noise.save(stream, "PNG")
    assert len(thumbnail(stream.getvalue(), most_bytes=9_000)) <= 9_000


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_has_no_thumbnail(data: bytes):
    with pytest.raises(NoThumbnail):
        thumbnail(data)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "LA", "RGBA", "I;16", "1"])
def test_every_mode_of_pixels_has_a_thumbnail(make, mode: str):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert thumbnail(make.photo(20, 10, kind=kind, mode=mode)).startswith(b"\xff\xd8")


def test_the_same_seed_draws_the_same_and_more_samples_only_add(make, tmp_path: Path):
    data = make.photo(8, 8)
    folder = make.pack(tmp_path / "toy", [make.sample(n, data) for n in range(60)], per_shard=25)
    datasets = prepared_datasets(folder)

    def keys(samples: int, seed: int) -> list[str]:
        return [row.key for row in draw(datasets, samples=samples, seed=seed)[0].rows]

    assert keys(10, 0) == sorted(keys(10, 0)) == keys(10, 0)
    assert len(keys(10, 0)) == 10
    assert set(keys(10, 0)) < set(keys(20, 0))
    assert keys(10, 0) != keys(10, 1)
    assert len(keys(1000, 0)) == 60


def test_the_page_is_the_same_bytes_again(prep, street: Path, page: Path, tmp_path: Path):
    again = tmp_path / "again.html"
    assert prep("browse", street, "--html", again) == 0
    assert again.read_bytes() == page.read_bytes()


def test_only_the_named_split_is_shown(prep, street: Path, tmp_path: Path):
    page = tmp_path / "p.html"
    assert prep("browse", street, "--html", page, "--split", "test") == 0
    assert [one["key"] for one in data_of(page)["pictures"]] == ["toy-0004"]


def test_an_unknown_split_and_a_folder_of_nothing_are_told(prep, street: Path, tmp_path, capsys):
    assert prep("browse", street, "--html", tmp_path / "p.html", "--split", "nightly") == 3
    assert "has no split nightly, only val, test" in capsys.readouterr().err
    assert prep("browse", tmp_path / "none", "--html", tmp_path / "p.html") == 3
    assert not (tmp_path / "p.html").exists()


def test_a_damaged_record_leaves_no_half_page(prep, street: Path, tmp_path: Path, capsys):
    shard = street / "test/toy-test-000000.tar"
    shard.write_bytes(shard.read_bytes().replace(b'"boxes":[]', b'"boxes":{}'))
    assert prep("browse", street, "--html", tmp_path / "p.html") == 3
    assert "toy-test-000000.tar: toy-0004" in capsys.readouterr().err
    assert list(tmp_path.glob("*p.html*")) == []


def test_pictures_in_the_page_are_the_pictures_of_the_shards(page: Path):
    from PIL import Image

    address = data_of(page)["pictures"][1]["src"]
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
        assert (picture.size, picture.mode) == ((48, 64), "RGB")
        # The gradient of the fixture: dark above, light below.
        assert max(picture.getpixel((24, 1))) < 30
        assert min(picture.getpixel((24, 62))) > 225


def test_questions_of_vcr_are_sentences_with_the_right_choices_marked():
    tokens = (VcrToken(text="Is"), VcrToken(objects=(1, 0)), VcrToken(text="here ?"))
    yes, no = (VcrToken(text="yes"),), (VcrToken(text="no"), VcrToken(objects=(7,)))
    item = VcrItem(
        annot_id="val-3",
        question=tokens,
        answer_choices=(no, yes),
        rationale_choices=(yes, no),
        answer_label=1,
    )
    image = Picture(id="1", file_name="", width=4, height=4, orientation=1, sha256="", format="jpg")
    names = ({"name": "dog", "score": 0.5}, {"name": "person", "score": 1.0})
    record = AnySample(
        key="k", dataset="vcr", split="val", image=image, objects=names, items=(item,)
    )
    maker = TargetMaker.of(coco_vocabulary(), PatchGrid.of(4, 2), seed=0)
    (told,) = entry(record, ROW, source="", answers=(), maker=maker)["items"]
    assert told == {
        "id": "val-3",
        "text": "Is [2 person] and [1 dog] here ?",
        "type": "",
        "answers": [["no [8 object]", False], ["yes", True]],
        "reasons": [["yes", False], ["no [8 object]", False]],
    }


ROW = SampleRow(*(("",) * 3), *((0,) * 7), "", 1, 1, "", "", "", 0, 0, 0)


def test_training_targets_are_those_of_the_patches_room(prep, street: Path, tmp_path: Path):
    page = tmp_path / "p.html"
    assert prep("browse", street, "--html", page, "--image-size", 64, "--patch-size", 16) == 0
    one, two, _, four = (picture["views"] for picture in data_of(page)["pictures"])
    # Patches of 16 x 12. The bus covers x 4 to 34.5 and y 6 to 26: 0.375 of patch 0, half of 1,
    # three quarters of 4, all of 5.
    bus = [1, 0, 2, 1, 0, 1, 2, 2]
    assert one["stretch"]["masked"] == [["bus", bus]]
    assert one["stretch"]["captions"] == [bus, None]
    assert one["stretch"]["boxes"] == [None, [0, 0, 4, 4], None]
    assert two["stretch"]["captions"] == [None]
    for view in four.values():
        assert (view["masked"], view["captions"], view["boxes"]) == ([], [], [])


def test_training_targets_follow_the_cut(prep, street: Path, tmp_path: Path):
    page = tmp_path / "p.html"
    assert prep("browse", street, "--html", page, "--image-size", 64, "--patch-size", 16) == 0
    seen = data_of(page)["pictures"][0]["views"]["center_crop"]
    # Patches of 12.05 x 12 from x 7.53 on: of the bus (x 4 to 34.5, y 6 to 26) columns 0 and 1,
    # half of row 0 and all of row 1; a quarter of column 2 and a sixth of row 2 are too little.
    bus = [0, 0, 2, 2]
    assert seen["masked"] == [["bus", bus]]
    assert seen["captions"] == [bus, None]
    assert seen["boxes"] == [None, [0, 0, 4, 4], None]


def test_classes_of_the_targets_come_from_a_file(prep, street: Path, tmp_path: Path):
    words = tmp_path / "words.txt"
    words.write_text("dog,puppy\nvehicle,bus", encoding="utf-8")
    page = tmp_path / "p.html"
    assert prep("browse", street, "--html", page, "--vocabulary", words) == 0
    masked = data_of(page)["pictures"][0]["views"]["stretch"]["masked"]
    assert [name for name, _ in masked] == ["vehicle"]


def test_a_grid_that_does_not_fill_the_input_is_wrong_usage(prep, street: Path, tmp_path: Path):
    sizes = ("--image-size", 100, "--patch-size", 16)
    assert prep("browse", street, "--html", tmp_path / "p.html", *sizes) == 2


def test_drawing_holds_only_what_is_drawn(make, tmp_path: Path):
    folder = make.pack(tmp_path / "toy", [make.sample(1, make.photo(8, 8))])
    (row,) = read_samples(folder / SAMPLES)
    many = (row._replace(key=f"toy-{number:05d}") for number in range(30_000))
    write_samples(folder / SAMPLES, many)
    datasets = prepared_datasets(folder)
    draw(datasets, samples=10, seed=0)  # what is imported on the way is there to stay
    tracemalloc.start()
    drawn = draw(datasets, samples=10, seed=0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(drawn[0].rows), drawn[0].total) == (10, 30_000)
    assert most < 8 << 20  # all rows together are 21 MB
