"""References out of prepared shards equal references out of the official file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
import pytest
from eval_runs import Ran
from vqa_world import annotation_file, prediction_file, question, write

from vle_bench.atomic import temporary_name
from vle_bench.canonical import sha256_bytes
from vle_bench.eval.references import shards_digest
from vle_bench.eval.vqa.answer_index import index_path, load_index
from vle_bench.records import Answer, Picture, Question, VqaSample, sample_bytes
from vle_bench.shards.index import SampleRow, write_samples
from vle_bench.shards.layout import REPORT, SAMPLES, ShardName
from vle_bench.shards.report import (
    Counts,
    Report,
    ShardReport,
    SplitReport,
    read_report,
    report_bytes,
)
from vle_bench.shards.writer import Item, Placed, write_shard

PICTURE = b"no picture is looked at"


def sample_of(split: str, image: int, entries: Sequence[dict[str, Any]]) -> VqaSample:
    picture = Picture(
        id=str(image),
        file_name="x.jpg",
        width=1,
        height=1,
        orientation=1,
        sha256=sha256_bytes(PICTURE),
        format="jpg",
    )
    questions = tuple(
        Question(
            question_id=entry["question_id"],
            question=f"Question {entry['question_id']}?",
            question_type=entry["question_type"],
            answer_type=entry["answer_type"],
            answers=tuple(msgspec.convert(answer, Answer) for answer in entry["answers"]),
            test_dev=entry.get("test_dev", False),
        )
        for entry in entries
    )
    return VqaSample(
        key=f"vqav2-{image:012d}", dataset="vqav2", split=split, image=picture, questions=questions
    )


def prepared(folder: Path, splits: dict[str, list[dict[str, Any]]], *, sample: bool = True) -> Path:
    """`vqav2` shards with one shard a picture."""
    rows: list[SampleRow] = []
    books: dict[str, SplitReport] = {}
    counts = {"image": Counts(read=0, written=0)}
    for split, entries in splits.items():
        shards: list[ShardReport] = []
        for number, image in enumerate(sorted({entry["image_id"] for entry in entries})):
            one = sample_of(split, image, [e for e in entries if e["image_id"] == image])
            name = ShardName("vqav2", split, number)
            record = sample_bytes(one)
            written = write_shard(name.path(folder), [Item(one.key, PICTURE, "jpg", record)])
            shards.append(
                ShardReport(
                    name=name.file_name, samples=1, bytes=written.bytes, sha256=written.sha256
                )
            )
            rows.append(index_row(one, name, written.placed[0], crc32(record)))
        books[split] = SplitReport(counts=counts, shards=tuple(shards))
    write_samples(folder / SAMPLES, rows)
    report = Report(dataset="vqav2", sample=sample, parameters={}, counts=counts, splits=books)
    (folder / REPORT).write_bytes(report_bytes(report))
    return folder


def index_row(one: VqaSample, name: ShardName, placed: Placed, checksum: int) -> SampleRow:
    places = placed._asdict()
    known: dict[str, Any] = {
        **dict.fromkeys(SampleRow._fields, 0),
        "image_id": one.image.id,
        "coco_id": "",
        "flickr_id": "",
        "sha256": one.image.sha256,
        "split": one.split,
        "shard": name.file_name,
        "json_crc32": checksum,
        **places,
    }
    return SampleRow(**known)


VAL = [
    question(1000, ["yes"] * 10, answer_type="yes/no"),
    question(1001, ["red", "dark red"] * 5),
    question(2000, ["cat", "dog", "dog"], ids=False),
]
TRAIN = [question(7000, ["Dog."] * 6 + ["cat"] * 4), question(8000, ["red"] * 3)]


@pytest.fixture
def shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    prediction_file(tmp_path / "p.json", {1000: "yes", 1001: "red", 2000: "dog"})
    return prepared(tmp_path / "shards" / "vqav2", {"train": TRAIN, "val": VAL})


@pytest.fixture
def score(vle_eval, shards: Path) -> Callable[..., Ran]:
    def call(*more: object) -> Ran:
        return vle_eval("vqa", "--data", "shards", "--resamples", 50, "--json", *more)

    return call


@pytest.mark.parametrize("ids", [True, False])
def test_shards_and_the_official_file_give_the_same_scores(ids, score, vle_eval, shards):
    last = question(2000, ["cat", "dog", "dog"], ids=ids)
    annotation_file(Path("a.json"), [*VAL[:2], last])
    prepared(shards, {"val": [*VAL[:2], last]})
    from_shards = score("--split", "dev", "--predictions", "p.json").document
    from_file = vle_eval(
        "vqa", "--annotations", "a.json", "--predictions", "p.json", "--resamples", 50, "--json"
    ).document
    assert from_shards["metrics"] == from_file["metrics"]
    assert from_shards["signature"] == from_file["signature"].replace("valtiny", "val")
    assert ("|loo:id|" in from_shards["signature"]) is ids
    assert from_shards["references"]["path"] == "shards/vqav2/val"


def test_sample_shards_say_so_and_are_known_by_their_digests(score, shards):
    first = score("--split", "val", "--predictions", "p.json").document
    assert first["sample"] is True
    prepared(shards, {"train": TRAIN, "val": [*VAL[:2], question(2000, ["cat"] * 3)]})
    second = score("--split", "val", "--predictions", "p.json").document
    assert first["references"]["sha256"] != second["references"]["sha256"]
    assert second["stamp"]["inputs"]["shards"] == second["references"]["sha256"]


def test_real_shards_of_a_named_split_must_be_whole(score, shards):
    prepared(shards, {"val": VAL}, sample=False)
    ran = score("--split", "val", "--predictions", "p.json")
    assert ran.code == 3
    assert ran.err.startswith("shards/vqav2/val: 3 questions, 214,354 were expected")


def test_a_split_that_is_not_there_is_named(score):
    ran = score("--split", "rest", "--predictions", "p.json")
    assert ran.code == 3
    assert "has no split rest, only train, val" in ran.err


def test_a_folder_without_shards_says_what_to_do(score):
    ran = score("--split", "val", "--dataset", "other", "--predictions", "p.json")
    assert ran.code == 3
    assert ran.err.startswith("shards/other/report.json: no report")


def test_test_dev_is_a_flag_on_questions_of_the_test_split(score, shards):
    entries = [question(1000, ["x"] * 4, test_dev=True), question(1001, ["y"] * 4)]
    prepared(shards, {"test": entries})
    prediction_file(Path("dev.json"), {1000: "x"})
    dev = score("--split", "test-dev", "--predictions", "dev.json").document
    assert (dev["split"], dev["metrics"]["accuracy"]["n"]) == ("test-dev", 1)
    prediction_file(Path("std.json"), {1000: "x", 1001: "y"})
    standard = score("--split", "test-std", "--predictions", "std.json").document
    assert (standard["split"], standard["metrics"]["accuracy"]["n"]) == ("test-std", 2)


def test_a_split_with_hidden_answers_cannot_be_scored_here(score, shards):
    prepared(shards, {"test": [question(1000, []), question(1001, [])]})
    ran = score("--split", "test", "--predictions", "p.json")
    assert ran.code == 3
    assert "shards/vqav2/test: 2 of 2 questions have no answers: 1000, 1001." in ran.err


def test_questions_are_in_the_item_table(score, shards):
    import pyarrow.parquet as pq

    score("--split", "val", "--predictions", "p.json", "--out", "out")
    table = pq.read_table("out/items.parquet").to_pydict()
    assert table["question"] == ["Question 1000?", "Question 1001?", "Question 2000?"]


def test_the_vocabulary_beside_the_shards_is_the_default(score, shards):
    write(shards / "answers" / "label2answer.json", ["yes", "dog"])
    document = score(
        "--split", "val", "--predictions", "p.json", "--protocol", "soft-label"
    ).document
    assert document["metrics"]["accuracy"]["n"] == 2
    assert "vocabulary" in document["stamp"]["inputs"]
    write(Path("mine.json"), ["yes"])
    mine = score(
        "--split", "val", "--predictions", "p.json", "--protocol", "soft-label",
        "--vocabulary", "mine.json",
    ).document  # fmt: skip
    assert mine["metrics"]["accuracy"]["n"] == 1


def test_the_prior_learns_on_the_train_shards(score):
    ran = score("--split", "val", "--model", "baseline:prior", "--out", "out")
    lines = Path("out/predictions.jsonl").read_text().splitlines()
    assert [json.loads(line)["answer"] for line in lines] == ["dog"] * 3
    document = ran.document
    assert document["model"] == "baseline:prior"
    assert "baseline:prior learnt on 2 questions of shards/vqav2/train." in document["notes"]
    assert sorted(document["stamp"]["inputs"]) == ["shards", "train[shards]"]


def kept(shards: Path) -> Path:
    (found,) = (shards.parent / ".vle-eval").iterdir()
    return found


def test_a_second_score_reads_the_answers_kept_and_no_shard(score, shards):
    first = score("--split", "val", "--predictions", "p.json").document
    for shard in (shards / "val").iterdir():
        shard.unlink()
    again = score("--split", "val", "--predictions", "p.json").document
    assert again["metrics"] == first["metrics"]
    assert again["signature"] == first["signature"]
    assert kept(shards).name.startswith("vqav2-val-")
    assert sorted(path.name for path in shards.iterdir()) == sorted(
        ["train", "val", REPORT, SAMPLES]
    )


@pytest.mark.parametrize("at", [0, 30, 100, 200, -1])
def test_answers_kept_that_were_damaged_are_made_again(at, score, shards):
    first = score("--split", "val", "--predictions", "p.json").document
    sound = kept(shards).read_bytes()
    kept(shards).write_bytes(sound[:at])
    assert (
        score("--split", "val", "--predictions", "p.json").document["metrics"] == first["metrics"]
    )
    assert kept(shards).read_bytes() == sound


def test_one_letter_that_turned_in_the_answers_kept_moves_no_score(score, shards):
    first = score("--split", "val", "--predictions", "p.json").document
    sound = kept(shards).read_bytes()
    assert sound.count(b"yes") == 2  # an answer, and the type yes/no
    for turned in (sound.replace(b"yes", b"yep"), sound.replace(b"1000", b"1900")):
        assert turned != sound
        kept(shards).write_bytes(turned)
        again = score("--split", "val", "--predictions", "p.json").document
        assert again["metrics"] == first["metrics"]
        assert kept(shards).read_bytes() == sound


def numbers(*values: int) -> bytes:
    return np.array(values, dtype="<i4").tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"images": {"names": ["1", "2"], "codes": numbers(0, 0, 2)}},
        {"images": {"names": ["1", "2"], "codes": numbers(0, 0, -1)}},
        {"images": {"names": ["1", "2"], "codes": numbers(0, 0)}},
        {"sizes": numbers(10, 10)},
        {"sizes": numbers(10, 10, 4)},
        {"sizes": numbers(10, 13, 0)},
        {"questions": ["Question 1000?", "Question 1001?"]},
    ],
)
def test_columns_that_do_not_fit_each_other_are_not_taken(change, score, shards):
    """Whoever wrote them summed them too, so that only their own numbers tell."""
    score("--split", "val", "--predictions", "p.json")
    path, digest = kept(shards), shards_digest(read_report(shards), "val")
    stored = msgspec.msgpack.decode(path.read_bytes()[4:])
    assert set(change) <= set(stored)
    for columns, taken in (({}, True), (change, False)):
        data = msgspec.msgpack.encode(stored | columns)
        path.write_bytes(crc32(data).to_bytes(4, "little") + data)
        assert (load_index(path, "here", digest) is not None) is taken


def test_answers_that_another_run_is_keeping_are_kept_beside_it(score, shards):
    score("--split", "val", "--predictions", "p.json")
    path = kept(shards)
    path.unlink()
    temporary_name(path).mkdir()
    score("--split", "val", "--predictions", "p.json")
    assert path.is_file()


def test_answers_of_other_shards_are_not_taken(score, shards):
    score("--split", "val", "--predictions", "p.json")
    old = kept(shards)
    prepared(shards, {"train": TRAIN, "val": [*VAL[:2], question(2000, ["cat"] * 3)]})
    old.rename(index_path(shards, "val", shards_digest(read_report(shards), "val")))
    assert score("--split", "val", "--predictions", "p.json").values["accuracy[other]"] == 50.0


def test_where_nothing_may_be_kept_the_shards_are_read_each_time(score, shards):
    (shards.parent / ".vle-eval").write_text("a file where the folder would be")
    first = score("--split", "val", "--predictions", "p.json").document
    assert (
        score("--split", "val", "--predictions", "p.json").document["metrics"] == first["metrics"]
    )


def test_a_record_that_is_not_the_one_written_stops_the_score(score, shards):
    shard = sorted((shards / "val").iterdir())[0]
    data = shard.read_bytes()
    assert b'"answer":"yes"' in data
    shard.write_bytes(data.replace(b'"answer":"yes"', b'"answer":"yep"'))
    ran = score("--split", "val", "--predictions", "p.json")
    assert ran.code == 3
    assert "the record is not the one that was written" in ran.err
