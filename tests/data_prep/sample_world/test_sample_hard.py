"""`--hard`: every accident of the ledger is really there, and evaluation stays possible."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
from collections import Counter

import pytest
from PIL import Image, ImageOps

from vle_bench.boxes import SIDEWAYS
from vle_bench.data_prep.sample_world.accidents.frames import Turn
from vle_bench.data_prep.sample_world.accidents.spoiled import turned

READABLE = {"cmyk": ("JPEG", "CMYK"), "grey": ("JPEG", "L"), "png-named-jpg": ("PNG", "RGB")}
INSTANCES = "coco/annotations/instances_train2014.json"


def accidents(hard, *kinds, file=""):
    found = [a for a in hard.ledger["accidents"] if a["kind"] in kinds and file in a["file"]]
    assert found, kinds
    return found


def jpeg(width=60, height=40):
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    picture.paste((255, 0, 0), (0, 0, 16, 16))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95)
    return stream.getvalue()


def test_the_ledger_lists_accidents_of_every_dataset(hard):
    listed = hard.ledger["accidents"]
    assert all(set(entry) == {"kind", "dataset", "file", "id"} for entry in listed)
    assert {entry["dataset"] for entry in listed} == {
        "coco", "vqav2", "vcr", "vg", "cc3m", "sbu", "flickr30k", "flickr30k-cn",
    }  # fmt: skip
    assert {
        "truncated", "empty", "html", "cmyk", "duplicate-id", "box-outside", "box-reversed",
        "missing", "exif-6-shown", "exif-8-stored", "exif-3-stored",
    } <= {entry["kind"] for entry in listed}  # fmt: skip


def test_pictures_that_are_spoiled_cannot_be_read(hard):
    for entry in accidents(hard, "truncated", "empty", "html", "missing"):
        path = hard.root / entry["file"]
        match entry["kind"]:
            case "missing":
                assert not path.exists()
            case "empty":
                assert path.stat().st_size == 0
            case "html":
                assert path.read_bytes().startswith(b"<!DOCTYPE html>")
            case _:
                assert not path.read_bytes().endswith(b"\xff\xd9")
                with pytest.raises(OSError, match="truncated"):
                    Image.open(path).load()


def test_pictures_that_only_look_wrong_can_be_read(hard):
    for entry in accidents(hard, *READABLE):
        with Image.open(hard.root / entry["file"]) as picture:
            picture.load()
            assert (picture.format, picture.mode) == READABLE[entry["kind"]]


def test_a_bomb_promises_too_many_pixels(hard):
    for entry in accidents(hard, "bomb"):
        path = hard.root / entry["file"]
        assert path.stat().st_size < 200
        with pytest.raises(Image.DecompressionBombError):
            Image.open(path)


def test_turned_pictures_carry_their_orientation_and_fitting_annotations(hard):
    for entry in hard.ledger["accidents"]:
        kind, *rest = entry["kind"].split("-")
        if kind != "exif" or entry["dataset"] != "coco":
            continue
        orientation, frame = int(rest[0]), rest[1]
        with Image.open(hard.root / entry["file"]) as picture:
            assert picture.getexif()[0x0112] == orientation
            stored, shown = picture.size, ImageOps.exif_transpose(picture).size
        split = entry["file"].split("/")[1]
        document = hard.json(f"coco/annotations/instances_{split}.json")
        row = next(image for image in document["images"] if str(image["id"]) == entry["id"])
        expected = stored if frame == "stored" else shown
        assert (row["width"], row["height"]) == expected
        assert (stored != shown) == (orientation in SIDEWAYS)
        for annotation in document["annotations"]:
            if annotation["image_id"] == row["id"]:
                x, y, w, h = annotation["bbox"]
                assert min(x, y, w, h) >= 0
                assert x + w <= expected[0]
                assert y + h <= expected[1]
                xs = [c for polygon in annotation["segmentation"] for c in polygon[::2]]
                assert min(xs) == pytest.approx(x, abs=0.02)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_viewer_that_honours_exif_sees_the_picture_as_it_was(orientation):
    data = jpeg()
    with Image.open(io.BytesIO(turned(data, orientation))) as picture:
        seen = ImageOps.exif_transpose(picture)
        assert seen.size == (60, 40)
        red, green, _ = seen.convert("RGB").getpixel((7, 7))
        assert red > green + 60


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_box_turned_to_the_stored_frame_lies_where_the_paint_went(orientation):
    picture = Image.new("RGB", (60, 40), "white")
    picture.paste((200, 0, 0), (10, 4, 34, 20))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95)
    x, y, w, h = Turn((60, 40), orientation).xywh([10, 4, 24, 16])
    stored = Image.open(io.BytesIO(turned(stream.getvalue(), orientation)))
    red = stored.convert("RGB").getpixel((x + w / 2, y + h / 2))
    assert red[0] > 150
    assert red[1] < 80
    assert stored.getpixel((min(x + w + 5, stored.width - 1), y + h / 2))[1] > 180


def test_boxes_of_coco_are_outside_reversed_or_flat(hard):
    document = hard.json(INSTANCES)
    sizes = {image["id"]: image["width"] for image in document["images"]}
    rows = {str(annotation["id"]): annotation for annotation in document["annotations"]}
    wrong = {
        "box-outside": lambda x, w, width: x < width < x + w,
        "box-beyond": lambda x, w, width: x >= width and w > 0,
        "box-reversed": lambda x, w, width: w < 0 <= x + w and x <= width,
        "box-flat": lambda x, w, width: w == 0 and x <= width,
    }
    for entry in accidents(hard, *wrong, file=INSTANCES):
        annotation = rows[entry["id"]]
        x, _, w, _ = annotation["bbox"]
        assert wrong[entry["kind"]](x, w, sizes[annotation["image_id"]])


def test_boxes_of_vcr_and_genome_are_outside_or_reversed(hard):
    for entry in accidents(hard, "box-outside", "box-reversed", file="vcr/"):
        metadata = hard.json(entry["file"])
        x0, _, x1, _, _ = metadata["boxes"][0]
        assert x1 > metadata["width"] if entry["kind"] == "box-outside" else x1 < x0
    objects = {
        str(thing["object_id"]): thing
        for image in hard.json("vg/objects.json")
        for thing in image["objects"]
    }
    for entry in accidents(hard, "box-outside", "box-reversed", file="vg/"):
        box = objects[entry["id"]]
        assert box["x"] < 0 if entry["kind"] == "box-outside" else box["w"] < 0


def test_ids_that_come_twice_really_do(hard):
    def ids(file):
        if file.endswith(".jsonl"):
            key = "annot_id" if "vcr" in file else "text_id"
            return [str(row[key]) for row in hard.rows(file)]
        document = hard.json(file)
        if "vg" in file:
            return [str(row["image_id"]) for row in document]
        rows = document.get("questions", document.get("annotations"))
        return [str(row.get("question_id", row.get("id"))) for row in rows]

    for entry in accidents(hard, "duplicate-id"):
        assert Counter(ids(entry["file"]))[entry["id"]] == 2
    (entry,) = accidents(hard, "duplicate-image")
    images = Counter(str(image["id"]) for image in hard.json(INSTANCES)["images"])
    assert images[entry["id"]] == 2


def test_halves_of_vqa_are_lost(hard):
    questions = hard.json("vqav2/v2_OpenEnded_mscoco_train2014_questions.json")["questions"]
    annotations = hard.json("vqav2/v2_mscoco_train2014_annotations.json")["annotations"]
    asked = {str(row["question_id"]): row for row in questions}
    answered = {str(row["question_id"]): row for row in annotations}
    (mute,) = accidents(hard, "question-without-answers")
    assert mute["id"] in asked.keys() - answered.keys()
    (lost,) = accidents(hard, "answers-without-question")
    assert lost["id"] in answered.keys() - asked.keys()
    (few,) = accidents(hard, "fewer-than-ten-answers")
    assert len(answered[few["id"]]["answers"]) == 7
    (unsaid,) = accidents(hard, "no-majority-key")
    assert "multiple_choice_answer" not in answered[unsaid["id"]]
    (stray,) = accidents(hard, "unknown-image", file="vqav2")
    images = {image["id"] for image in hard.json(INSTANCES)["images"]}
    assert asked[stray["id"]]["image_id"] not in images
    (stray,) = accidents(hard, "unknown-image", file=INSTANCES)
    rows = {str(a["id"]): a for a in hard.json(INSTANCES)["annotations"]}
    assert rows[stray["id"]]["image_id"] not in images


def test_captions_are_empty_or_untidy(hard):
    rows = hard.json("coco/annotations/captions_train2014.json")["annotations"]
    captions = {str(row["id"]): row["caption"] for row in rows}
    (entry,) = accidents(hard, "caption-empty")
    assert captions[entry["id"]] == ""
    (entry,) = accidents(hard, "caption-untidy")
    assert captions[entry["id"]] != captions[entry["id"]].strip()


def test_web_corpora_repeat_an_address_and_break_a_line(hard):
    lines = hard.lines("cc3m/Train_GCC-training.tsv")
    urls = [line.split("\t")[1] for line in lines if "\t" in line]
    digests = Counter(hashlib.sha1(url.encode()).hexdigest()[:16] for url in urls)
    (entry,) = accidents(hard, "duplicate-url", file="cc3m")
    assert digests[entry["id"]] == 2
    (entry,) = accidents(hard, "malformed-line")
    assert "\t" not in lines[int(entry["id"]) - 1]
    (entry,) = accidents(hard, "duplicate-url", file="sbu")
    columns = hard.json("sbu/sbu-captions-all.json")
    assert columns["image_urls"].count(columns["image_urls"][int(entry["id"])]) == 2


def test_the_chinese_corpus_has_a_torn_picture_and_lost_texts(hard):
    (entry,) = accidents(hard, "broken-base64")
    codes = dict(line.split("\t") for line in hard.lines("flickr30k-cn/train_imgs.tsv"))
    code = codes[entry["id"]]
    try:
        data = base64.b64decode(code, validate=True)
    except binascii.Error:
        data = b""
    assert not data.endswith(b"\xff\xd9")
    rows = {str(row["text_id"]): row for row in hard.rows("flickr30k-cn/train_texts.jsonl")}
    (entry,) = accidents(hard, "no-images")
    assert rows[entry["id"]]["image_ids"] == []
    (entry,) = accidents(hard, "unknown-image", file="flickr30k-cn")
    assert str(rows[entry["id"]]["image_ids"][0]) not in codes


def test_a_genome_picture_has_no_regions(hard):
    (entry,) = accidents(hard, "no-regions")
    regions = {str(row["id"]) for row in hard.json("vg/region_descriptions.json")}
    images = {str(row["image_id"]) for row in hard.json("vg/image_data.json")}
    assert entry["id"] in images - regions


def test_shared_pictures_and_evaluation_files_stay_whole(hard):
    spoiled = {entry["file"] for entry in hard.ledger["accidents"]}
    assert not {entry["picture"] for entry in hard.ledger["shared"] if entry["corpus"] not in {
        "coco", "flickr30k", "flickr30k-cn"}} & spoiled  # fmt: skip
    questions = hard.json("vqav2/v2_OpenEnded_mscoco_val2014_questions.json")["questions"]
    annotations = hard.json("vqav2/v2_mscoco_val2014_annotations.json")["annotations"]
    assert [q["question_id"] for q in questions] == [a["question_id"] for a in annotations]
    assert len({q["question_id"] for q in questions}) == len(questions)
    rows = [row["annot_id"] for row in hard.rows("vcr/val.jsonl")]
    assert len(rows) == len(set(rows)) > 0


def test_every_record_has_one_accident_at_most(hard):
    listed = Counter((a["dataset"], a["file"], a["id"]) for a in hard.ledger["accidents"])
    assert max(listed.values()) == 1


def test_everything_else_is_as_in_the_clean_world(hard, tmp_path):
    from vle_bench.data_prep.sample_world import build_sample_world

    build_sample_world(tmp_path, images=180, seed=3, workers=1)
    spoiled = {entry["file"] for entry in hard.ledger["accidents"]}
    turned_frames = {
        a["file"].replace(".jpg", ".json")
        for a in hard.ledger["accidents"]
        if "stored" in a["kind"]
    }
    for path in sorted(tmp_path.rglob("*.jpg")):
        name = path.relative_to(tmp_path).as_posix()
        if name not in spoiled:
            assert (hard.root / name).read_bytes() == path.read_bytes()
    for path in sorted(tmp_path.rglob("vcr1images/**/*.json")):
        name = path.relative_to(tmp_path).as_posix()
        if name not in spoiled | turned_frames:
            assert json.loads((hard.root / name).read_bytes()) == json.loads(path.read_bytes())
