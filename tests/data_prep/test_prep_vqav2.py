"""What one run writes, thing by thing, and that its books hold everything it was given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vle_bench.canonical import sha256_bytes
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.records import VqaSample
from vle_bench.shards.index import SkippedRow, read_samples, read_skipped
from vle_bench.shards.read import iter_samples, iter_with_pictures
from vle_bench.shards.report import read_report


def run(raw: Path, out: Path, *splits: str, **parameters) -> Prepared:
    return prepare(
        Request(
            dataset="vqav2", raw=raw, out=out, splits=splits, parameters=Parameters(**parameters)
        )
    )


def skipped_of(out: Path) -> list[SkippedRow]:
    return read_skipped(out / "vqav2" / "skipped.parquet")


def test_one_sample_is_one_picture_with_everything_known_of_it(small, out: Path):
    run(small.write(), out)
    first, *_ = iter_samples(out / "vqav2", "train", VqaSample)
    assert (first.key, first.dataset, first.split) == ("vqav2-000000000011", "vqav2", "train")
    image = first.image
    assert (image.id, image.coco_id, image.flickr_id) == ("11", "11", "1155")
    assert (image.width, image.height, image.orientation, image.format) == (51, 48, 1, "jpg")
    assert image.licence == "Attribution"
    assert image.file_name == "COCO_train2014_000000000011.jpg"
    (caption,), (box,) = first.captions, first.boxes
    assert (caption.id, caption.text) == ("110", "A thing.")
    assert (box.xywh, box.label, box.label_id, box.kind) == (
        (1.0, 2.0, 3.5, 4.0),
        "dog",
        18,
        "object",
    )
    assert [question.question_id for question in first.questions] == [11000, 11001, 11002]
    assert first.questions[1].multiple_choice_answer == "no"
    assert [answer.answer_id for answer in first.questions[1].answers] == list(range(1, 11))


def test_pictures_keep_their_original_bytes_and_digest(small, out: Path):
    run(small.write(), out)
    for split in ("train", "val", "test"):
        for sample, picture in iter_with_pictures(out / "vqav2", split, VqaSample):
            assert picture == small.pictures[split][sample.image.file_name]
            assert sample.image.sha256 == sha256_bytes(picture)


def test_test_questions_have_no_answers_and_test_dev_is_a_flag(small, out: Path):
    run(small.write(), out)
    questions = [q for s in iter_samples(out / "vqav2", "test", VqaSample) for q in s.questions]
    assert len(questions) == 6
    assert [q.question_id for q in questions if q.test_dev] == [31001]
    assert all(q.answers == q.labels == q.scores == () for q in questions)


def test_every_sample_has_the_same_keys_without_nulls(small, out: Path):
    import tarfile

    run(small.write(), out)
    shapes = set()
    for path in out.rglob("*.tar"):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    text = tar.extractfile(member).read().decode()
                    record = json.loads(text)
                    assert "null" not in text
                    assert list(record) == sorted(record)
                    shapes.add(
                        (tuple(record), tuple(record["image"]), tuple(record["questions"][0]))
                    )
    assert len(shapes) == 1


def test_answers_given_often_enough_become_labels_in_order_of_appearance(small, out: Path):
    run(small.write(), out, min_answer_count=5)
    folder = out / "vqav2" / "answers"
    assert json.loads((folder / "answer2label.json").read_bytes()) == {"yes": 0, "no": 1, "2": 2}
    assert json.loads((folder / "label2answer.json").read_bytes()) == ["yes", "no", "2"]


@pytest.mark.parametrize(
    ("labels", "expected"), [("raw", ((0,), (0.9,))), ("normalised", ((0,), (1.0,)))]
)
def test_raw_answers_miss_the_vocabulary_that_normalised_ones_meet(world, out, labels, expected):
    answers = ["Two"] * 5 + ["2"] * 3 + ["dunno", "?"]
    world.picture("val", 7)
    world.question("val", 7, 0, answers=answers, main="2")
    run(world.write(), out, labels=labels, min_answer_count=1)
    (sample,) = iter_samples(out / "vqav2", "val", VqaSample)
    assert (sample.questions[0].labels, sample.questions[0].scores) == expected


def test_a_tenth_of_val_is_held_out_by_seed(world, out: Path):
    for image in range(1, 41):
        world.picture("val", image)
        world.question("val", image)
    raw = world.write()
    run(raw, out)
    folder = out / "vqav2" / "splits"
    trainable = (folder / "trainable_val.txt").read_text().split()
    rest = (folder / "rest_val.txt").read_text().split()
    assert len(rest) == 4
    assert sorted(map(int, trainable + rest)) == list(range(1, 41))
    run(raw, out, seed=1)
    assert (folder / "rest_val.txt").read_text().split() != rest


def test_the_index_counts_what_is_in_each_sample(small, out: Path):
    run(small.write(), out, samples_per_shard=3)
    rows = read_samples(out / "vqav2" / "samples.parquet")
    assert [row.split for row in rows] == ["train"] * 7 + ["val"] * 5 + ["test"] * 2
    assert [row.shard for row in rows[:7]] == [
        f"vqav2-train-00000{n}.tar" for n in (0, 0, 0, 1, 1, 1, 2)
    ]
    assert {(row.questions, row.captions, row.boxes) for row in rows[:12]} == {(3, 1, 1)}


def test_a_picture_that_is_absent_is_named_with_all_that_hung_on_it(small, out: Path):
    del small.pictures["val"]["COCO_val2014_000000000022.jpg"]
    run(small.write(), out)
    assert skipped_of(out) == [
        SkippedRow("val", "image", "22", "22", "picture absent"),
        SkippedRow("val", "question", "22000", "22", "picture absent"),
        SkippedRow("val", "question", "22001", "22", "picture absent"),
        SkippedRow("val", "question", "22002", "22", "picture absent"),
        SkippedRow("val", "caption", "220", "22", "picture absent"),
        SkippedRow("val", "box", "2200", "22", "picture absent"),
    ]
    counts = read_report(out / "vqav2").splits["val"].counts
    assert (counts["image"].read, counts["image"].written) == (5, 4)
    assert counts["question"].skipped == {"picture absent": 3}
    assert all(one.balances() for one in counts.values())


def test_questions_without_any_picture_are_all_reported(small, out: Path):
    small.pictures.clear()
    prepared = run(small.write(), out)
    assert prepared.built == 0
    assert sum(row.kind == "question" for row in skipped_of(out)) == 3 * 14
    assert {row.reason for row in skipped_of(out)} == {"picture absent"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "picture file empty"),
        (b"<!DOCTYPE html><title>404</title>", "picture is an HTML page"),
        (b"GIF89a" + bytes(40), "picture format gif not supported"),
        (b"just text", "not a picture"),
    ],
)
def test_a_file_that_is_no_picture_is_skipped_with_its_reason(small, out, data, reason):
    small.picture("train", 12, data)
    run(small.write(), out, samples_per_shard=2)
    assert {row.reason for row in skipped_of(out)} == {reason}
    assert [row.kind for row in skipped_of(out)] == ["image", "question", "question", "question",
                                                     "caption", "box"]  # fmt: skip
    assert len(list(iter_samples(out / "vqav2", "train", VqaSample))) == 6


def test_repeated_foreign_and_unanswered_questions_are_named(small, out: Path):
    questions, annotations = small.questions["val"], small.annotations["val"]
    questions.append(dict(questions[0]))
    annotations.append(dict(annotations[1]))
    annotations.append(dict(annotations[2]) | {"question_id": 999})
    del annotations[3]
    annotations[4] = annotations[4] | {"image_id": 21}
    questions.append({"question_id": "x", "image_id": 21, "question": "?"})
    run(small.write(), out)
    reasons = sorted((row.id, row.reason) for row in skipped_of(out) if row.kind == "question")
    assert reasons == [
        ("21000", "duplicate id"),
        ("21001", "duplicate id"),
        ("22000", "question without annotation"),
        ("22002", "annotation names another image than its question"),
        ("999", "annotation without question"),
        ("x", "id is no number"),
    ]


def test_an_image_whose_questions_all_fell_is_named(small, out: Path):
    small.annotations["val"] = small.annotations["val"][3:]
    run(small.write(), out)
    rows = [row for row in skipped_of(out) if row.kind != "question"]
    assert {(row.id, row.reason) for row in rows} == {
        ("21", "image without a usable question"),
        ("210", "image without a usable question"),
        ("2100", "image without a usable question"),
    }


def test_repeated_and_foreign_annotations_of_pictures_are_named(small, out: Path):
    small.caption("val", 21, 210)
    small.caption("val", 21, 777, "  ")
    small.caption("val", 4242, 778)
    small.box("val", 22, 2200)
    small.box("val", 4242, 779)
    small.image_row("val", 23)
    run(small.write(), out)
    assert [(row.kind, row.id, row.image_id, row.reason) for row in skipped_of(out)] == [
        ("image", "23", "23", "duplicate id"),
        ("image", "23", "23", "duplicate id"),
        ("caption", "210", "21", "duplicate id"),
        ("caption", "777", "21", "caption without text"),
        ("caption", "778", "4242", "about an image that its file does not list"),
        ("box", "779", "4242", "about an image that its file does not list"),
        ("box", "2200", "22", "duplicate id"),
    ]


def test_rows_about_pictures_nobody_asks_about_are_counted_apart(small, out: Path):
    small.image_row("val", 4242)
    small.caption("val", 4242, 777)
    small.box("val", 4242, 778)
    run(small.write(), out)
    assert skipped_of(out) == []
    elsewhere = read_report(out / "vqav2").splits["val"].elsewhere
    assert elsewhere == {"box": 1, "caption": 1, "image": 2}


def test_a_picture_asked_about_in_two_splits_stays_in_the_first(small, out: Path):
    small.picture("val", 11)
    small.question("val", 11, 7)
    run(small.write(), out)
    assert [(row.split, row.kind, row.id, row.reason) for row in skipped_of(out)] == [
        ("val", "image", "11", "image belongs to an earlier split"),
        ("val", "question", "11007", "image belongs to an earlier split"),
    ]
    keys = [row.key for row in read_samples(out / "vqav2" / "samples.parquet")]
    assert len(keys) == len(set(keys))


def test_a_test_dev_question_that_test_lacks_is_foreign(small, out: Path):
    small.test_dev.append({"question_id": 31009, "image_id": 31, "question": "?"})
    run(small.write(), out)
    assert skipped_of(out) == [
        SkippedRow("test", "question", "31009", "31", "test-dev question that test does not have")
    ]


def test_ids_written_as_text_are_the_same_ids(small, out: Path):
    for rows in (small.questions["val"], small.annotations["val"], small.boxes["val"]):
        for row in rows:
            row["image_id"] = str(row["image_id"])
    for row in small.annotations["val"]:
        row["question_id"] = str(row["question_id"])
    run(small.write(), out)
    assert skipped_of(out) == []
    first, *_ = iter_samples(out / "vqav2", "val", VqaSample)
    assert first.questions[0].question_id == 21000
    assert len(first.boxes) == 1


def test_what_annotations_leave_out_is_empty_and_not_null(small, out: Path):
    for row in small.annotations["val"]:
        del row["multiple_choice_answer"], row["question_type"]
        for answer in row["answers"]:
            del answer["answer_id"], answer["answer_confidence"]
    run(small.write(), out)
    first, *_ = iter_samples(out / "vqav2", "val", VqaSample)
    question = first.questions[0]
    assert (question.multiple_choice_answer, question.question_type) == ("", "")
    assert (question.answers[0].answer_id, question.answers[0].answer_confidence) == (-1, "")


def test_absent_sources_leave_lists_empty_and_are_named(small, out: Path):
    small.images.clear()
    small.captions.clear()
    small.boxes.clear()
    run(small.write(), out)
    report = read_report(out / "vqav2")
    assert report.splits["val"].absent_sources == (
        "annotations/captions_val2014.json",
        "annotations/instances_val2014.json",
    )
    assert report.splits["test"].absent_sources == ("annotations/image_info_test2015.json",)
    first, *_ = iter_samples(out / "vqav2", "val", VqaSample)
    assert first.boxes == first.captions == ()
    assert (first.image.coco_id, first.image.flickr_id, first.image.licence) == ("21", "", "")


def test_a_category_the_file_does_not_list_leaves_the_box_without_a_class(small, out: Path):
    small.boxes["val"][0]["category_id"] = 77
    small.boxes["val"][1]["iscrowd"] = 1
    run(small.write(), out)
    first, second, *_ = iter_samples(out / "vqav2", "val", VqaSample)
    assert (first.boxes[0].label, first.boxes[0].label_id) == ("", -1)
    assert second.boxes[0].kind == "crowd"
    adjusted = read_report(out / "vqav2").splits["val"].adjusted
    assert adjusted == {
        "box of a category that its file does not list": 1,
        "caption that another picture has too": 5,
    }


def test_published_counts_stand_beside_ours_and_differ_aloud(small, out: Path):
    small.pictures["val"].popitem()
    run(small.write(), out)
    split = read_report(out / "vqav2").splits["val"]
    found = {one.what: (one.expected, one.found) for one in split.expectations}
    assert found == {"images": (40504, 4), "questions": (214354, 12)}
    (told,) = (warning for warning in split.warnings if "questions expected" in warning)
    assert told.startswith("214,354 questions expected (")
    assert told.endswith("), 15 read, 12 written")
    assert "1 of 5 images has no picture file" in split.warnings
    assert "| val | questions | 214,354 | 15 | 12 | " in (out / "vqav2" / "README.md").read_text()


def test_the_flags_of_test_dev_are_held_against_what_is_published(small, out: Path):
    run(small.write(), out)
    split = read_report(out / "vqav2").splits["test"]
    found = {one.what: (one.expected, one.found) for one in split.expectations}
    flagged = [
        question
        for sample in iter_samples(out / "vqav2", "test", VqaSample)
        for question in sample.questions
        if question.test_dev
    ]
    assert found["test-dev questions"] == (107394, len(flagged)) == (107394, 1)
    assert any(
        warning.startswith("107,394 test-dev questions expected (") and warning.endswith("1 read")
        for warning in split.warnings
    )
    card = (out / "vqav2" / "README.md").read_text()
    assert "| test | test-dev questions | 107,394 | 1 | - | " in card


def test_a_sample_world_says_so_and_is_not_held_against_published_counts(small, out: Path):
    (small.write() / "sample_world.json").write_text("{}")
    run(small.root, out)
    report = read_report(out / "vqav2")
    assert report.sample
    assert report.splits["val"].expectations == report.splits["val"].warnings == ()
    assert "sample world" in (out / "vqav2" / "README.md").read_text()


def test_nothing_in_the_tree_tells_where_or_when_it_was_made(small, out: Path):
    run(small.write(), out)
    for path in (out / "vqav2").rglob("*"):
        if path.is_file():
            assert str(out.parent).encode() not in path.read_bytes()
