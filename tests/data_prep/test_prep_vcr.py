"""VCR: tokens, boxes of five numbers, file names with an `@`, and what must never get in."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vle_bench.console import exit_code
from vle_bench.data_prep.datasets.vcr import NO_USABLE_QUESTION
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.errors import DataProblem
from vle_bench.eval.cli import group as eval_group
from vle_bench.records import VcrSample, VcrToken
from vle_bench.shards.index import read_skipped
from vle_bench.shards.read import iter_samples

FILM = "lsmdc_7_A_Film"
PERSON_CAR = ["person", "cellphone"]


def row(number: int, image: int, split: str = "val", **more: Any) -> dict[str, Any]:
    name = f"{FILM}/7_A_Film_00.0{image}@0"
    choices = [["Yes", [0, 1]], ["No", "."], [[1]], ["?"]]
    found = {
        "annot_id": f"{split}-{number}",
        "img_id": f"{split}-{image}",
        "img_fn": f"{name}.jpg",
        "metadata_fn": f"{name}.json",
        "movie": "7_A_Film",
        "objects": PERSON_CAR,
        "question": ["Is", [0], "glad", "?"],
        "answer_choices": choices,
        "rationale_choices": choices[::-1],
        "answer_label": number % 4,
        "rationale_label": 3,
        "answer_match_iter": [0, 1, 2, 3],
        "rationale_sources": [4, 5, 6, 7],
        "answer_orig": "Yes, 1 and 2.",
        "question_number": 1,
        "answer_likelihood": "likely",
    }
    return found | more


def put(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


@pytest.fixture
def still(raw: Path, picture: Callable[[int, int], bytes]) -> Callable[..., None]:
    """Puts down a still of 64 x 48 and its boxes."""

    def make(image: int, boxes: Any = None, names: Any = None, **more: Any) -> None:
        name = f"{FILM}/7_A_Film_00.0{image}@0"
        found = [[1.5, 2.25, 21.5, 42.25, 0.9], [30, 1, 40, 9, 0.5]] if boxes is None else boxes
        content = {"boxes": found, "names": names or PERSON_CAR, "width": 64, "height": 48,
                   "segms": [[[[1, 2], [3, 4], [5, 6]]], []]} | more  # fmt: skip
        put(raw / "vcr" / "vcr1images" / f"{name}.jpg", picture(64, 48))
        put(raw / "vcr" / "vcr1images" / f"{name}.json", json.dumps(content))

    return make


def lines(raw: Path, split: str, rows: list[Any]) -> None:
    put(raw / "vcr" / f"{split}.jsonl", "".join(json.dumps(one) + "\n" for one in rows))


def run(raw: Path, out: Path, *splits: str) -> Prepared:
    return prepare(Request(dataset="vcr", raw=raw, out=out, splits=splits))


def samples(out: Path, split: str = "val") -> list[VcrSample]:
    return list(iter_samples(out / "vcr", split, VcrSample))


def reasons(out: Path) -> Counter[tuple[str, str]]:
    found = read_skipped(out / "vcr" / "skipped.parquet")
    return Counter((one.id, one.reason) for one in found if one.kind == "question")


def test_one_sample_is_one_still_with_all_its_questions(raw, still, out):
    still(0)
    lines(raw, "val", [row(0, 0), row(1, 0)])
    run(raw, out)
    (sample,) = samples(out)
    assert (sample.key, sample.movie) == ("vcr-val-0", "7_A_Film")
    assert sample.image.file_name == f"{FILM}/7_A_Film_00.00@0.jpg"
    assert sample.metadata_file == f"{FILM}/7_A_Film_00.00@0.json"
    assert [one.annot_id for one in sample.items] == ["val-0", "val-1"]
    first = sample.items[1]
    assert (first.answer_label, first.rationale_label, first.answer_likelihood) == (1, 3, "likely")
    assert first.question[1] == VcrToken(objects=(0,))
    assert first.answer_choices[0] == (VcrToken(text="Yes"), VcrToken(objects=(0, 1)))


def test_corners_and_score_become_a_box_and_an_object(raw, still, out):
    still(0)
    lines(raw, "val", [row(0, 0)])
    run(raw, out)
    (sample,) = samples(out)
    first, second = sample.boxes
    assert (first.id, first.xywh, first.label, first.label_id) == (
        "0",
        (1.5, 2.25, 20.0, 40.0),
        "person",
        1,
    )
    assert (second.label, second.label_id) == ("cellphone", 77)
    assert [(one.name, one.score) for one in sample.objects] == [
        ("person", 0.9),
        ("cellphone", 0.5),
    ]


def test_nothing_that_tells_the_answer_gets_in(raw, still, out):
    still(0)
    lines(raw, "val", [row(0, 0)])
    run(raw, out)
    (shard,) = out.rglob("*.tar")
    text = shard.read_bytes()
    for leak in (b"match_iter", b"_sources", b"answer_orig", b"and 2."):
        assert leak not in text


def test_stills_are_in_the_order_of_their_numbers(raw, still, out):
    for image in (2, 10, 9):
        still(image)
    lines(raw, "val", [row(n, image) for n, image in enumerate((10, 2, 9))])
    run(raw, out)
    assert [one.image.id for one in samples(out)] == ["val-2", "val-9", "val-10"]


def test_questions_that_cannot_be_used_are_named(raw, still, out):
    list(map(still, (0, 7)))
    lines(
        raw,
        "val",
        [
            *[row(0, 0)] * 2,
            row(1, 0, objects=["person"]),
            row(2, 7, answer_label=None),
            row(3, 5),
            row(4, 0, img_fn="../../secret.jpg", img_id="val-6"),
        ],
    )
    report = run(raw, out).report
    assert reasons(out) == {
        ("val-0", "duplicate id"): 1,
        ("val-1", "question of another picture or other objects than its image's first"): 1,
        ("val-2", "question without label"): 1,
        ("val-3", "picture absent"): 1,
        ("val-4", "picture absent"): 1,
    }
    assert report.counts["question"].read == 6
    assert report.counts["image"].skipped == {"picture absent": 2, NO_USABLE_QUESTION: 1}


@pytest.mark.parametrize("key", ["annot_id", "img_id"])
def test_an_empty_id_is_told_with_its_line(raw, still, out, key):
    still(0)
    lines(raw, "val", [row(0, 0), row(1, 0) | {key: ""}])
    with pytest.raises(DataProblem, match=rf"val.jsonl.*2.*length >= 1 - at `\$.{key}`"):
        run(raw, out)


def test_test_rows_have_no_labels_and_are_kept(raw, still, out):
    still(0)
    bare = row(0, 0, "test")
    del bare["answer_label"], bare["rationale_label"]
    lines(raw, "test", [bare])
    run(raw, out)
    (sample,) = samples(out, "test")
    assert (sample.items[0].answer_label, sample.items[0].rationale_label) == (-1, -1)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ({"names": ["person"]}, "metadata of other objects than the questions'"),
        ({"boxes": [[1, 2, 3]]}, "metadata that cannot be read"),
        (None, "picture without metadata"),
    ],
)
def test_without_sound_metadata_a_still_has_no_boxes_but_keeps_its_names(
    raw, still, out, content, rule
):
    still(0, **(content or {}))
    if content is None:
        next(raw.rglob("*@0.json")).unlink()
    lines(raw, "val", [row(0, 0)])
    report = run(raw, out).report
    (sample,) = samples(out)
    assert sample.boxes == ()
    assert [(one.name, one.score) for one in sample.objects] == [(n, -1.0) for n in PERSON_CAR]
    assert report.splits["val"].adjusted == {rule: 1}


def test_a_byte_order_mark_costs_no_boxes(raw, still, out):
    still(0)
    (metadata,) = raw.rglob("*@0.json")
    put(metadata, b"\xef\xbb\xbf" + metadata.read_bytes())
    lines(raw, "val", [row(0, 0)])
    assert run(raw, out).report.splits["val"].counts["box"].written == 2


def test_a_reversed_box_is_turned_and_an_object_that_is_not_there_is_counted(raw, still, out):
    still(0, boxes=[[21.5, 42.25, 1.5, 2.25, 0.9], [30, 1, 400, 9, 0.5]])
    lines(raw, "val", [row(0, 0, question=["Is", [7], "?"])])
    adjusted = run(raw, out).report.splits["val"].adjusted
    assert adjusted == {
        "box clipped": 1,
        "box turned": 1,
        "question that points at an object that is not there": 1,
    }


def test_a_still_of_an_earlier_split_stays_there(raw, still, out):
    still(0)
    lines(raw, "train", [row(0, 0)])
    lines(raw, "val", [row(5, 0)])
    report = run(raw, out).report
    assert report.counts["image"].skipped == {"image belongs to an earlier split": 1}
    assert report.splits["train"].counts["image"].written == 1


def test_changed_metadata_is_noticed_and_named(raw, still, out):
    still(1)
    lines(raw, "val", [row(0, 1)])
    before = run(raw, out, "val")
    name = "vcr/vcr1images (metadata, val)"
    assert name in before.report.splits["val"].sources
    assert run(raw, out, "val").changes == ()
    (metadata,) = raw.rglob("vcr1images/**/*.json")
    metadata.write_text(metadata.read_text().replace("42.25", "41.25"))
    after = run(raw, out, "val")
    assert after.built == 1
    assert after.changes == (f"val: raw file {name} changed",)


@pytest.mark.parametrize("packed_in", ["", "vcr1images"])
def test_official_zips_give_the_same_shards(raw, still, out, tmp_path: Path, packed_in: str):
    for image in (0, 1):
        still(image)
    lines(raw, "val", [row(0, 0), row(1, 1)])
    run(raw, out)
    (packed := tmp_path / "packed" / "vcr").mkdir(parents=True)
    with zipfile.ZipFile(packed / "vcr1annots.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(raw / "vcr" / "val.jsonl", "val.jsonl")
    with zipfile.ZipFile(packed / "vcr1images.zip", "w") as archive:
        for path in sorted((raw / "vcr" / "vcr1images").rglob("*.j*")):
            archive.write(path, path.relative_to(raw / "vcr" / packed_in))
    run(packed.parent, tmp_path / "again", "val")
    ours, theirs = (next(folder.rglob("*.tar")) for folder in (out, tmp_path / "again"))
    assert ours.read_bytes() == theirs.read_bytes()


def test_broken_lines_are_told_with_their_numbers(raw, out, prep, capsys):
    good = json.dumps(row(0, 0))
    bad = json.dumps(row(1, 0, answer_choices=[["a"]]))
    put(raw / "vcr" / "val.jsonl", f'{good}\n{bad}\n{{"annot_id": \n')
    assert prep("run", "vcr", "--raw", raw, "--out", out) == 3
    told = capsys.readouterr().err
    assert "val.jsonl:2: " in told
    assert "val.jsonl:3: " in told
    assert "Traceback" not in told


# --- real files, and the way back to scores -----------------------------------------------


def test_real_questions_of_gd_vcr_without_pictures_are_all_named(reference: Path, raw, out):
    put(raw / "vcr" / "val.jsonl", (reference / "data/WadeYin9712+GD-VCR/val.jsonl").read_bytes())
    counts = run(raw, out).report.counts
    assert (counts["image"].read, counts["image"].skipped) == (328, {"picture absent": 328})
    assert (counts["question"].read, counts["question"].written) == (886, 0)


def test_real_questions_of_gd_vcr_with_pictures_keep_their_region(
    reference: Path, raw, out, picture
):
    source = reference / "data/WadeYin9712+GD-VCR/val.jsonl"
    put(raw / "vcr" / "val.jsonl", source.read_bytes())
    rows = [json.loads(line) for line in source.read_text().splitlines()]
    for one in rows:
        put(raw / "vcr" / "vcr1images" / one["img_fn"], picture(64, 48))
    counts = run(raw, out).report.counts
    assert counts["question"].read == 886
    assert counts["question"].read == counts["question"].written + sum(
        counts["question"].skipped.values()
    )
    regions = Counter(item.region for sample in samples(out) for item in sample.items)
    expected = Counter(one["region"] for one in rows)
    assert sum(regions.values()) > 800
    assert all(0 < count <= expected[name] for name, count in regions.items())


def test_the_one_real_row_of_vcr_goes_through(reference: Path, raw, out, picture):
    source = reference / "data/iflytek+VLE/vcr"
    real = json.loads((source / "val_sample.jsonl").read_text())
    shutil.copytree(source, raw / "vcr" / "vcr1images", ignore=shutil.ignore_patterns("*.jsonl"))
    put(raw / "vcr" / "val.jsonl", (source / "val_sample.jsonl").read_bytes())
    put(raw / "vcr" / "vcr1images" / real["img_fn"], picture(1920, 797))
    report = run(raw, out).report
    (sample,) = samples(out)
    assert sample.key == "vcr-val-0"
    assert "@0.jpg" in sample.image.file_name
    assert [box.label for box in sample.boxes] == real["objects"]
    metadata = json.loads((raw / "vcr" / "vcr1images" / real["metadata_fn"]).read_text())
    for box, corners, thing in zip(sample.boxes, metadata["boxes"], sample.objects, strict=True):
        x, y, w, h = box.xywh
        assert [x, y, x + w, y + h] == pytest.approx(corners[:4], abs=1e-6)
        assert thing.score == corners[4]
    assert [
        [token.text or list(token.objects) for token in choice]
        for choice in sample.items[0].rationale_choices
    ] == real["rationale_choices"]
    assert report.splits["val"].adjusted == {}


def score(capsys, *arguments: Any) -> dict[str, Any]:
    given = ["vcr", "--split", "val", "--resamples", "50", "--json", *map(str, arguments)]
    assert exit_code(eval_group, "vle-eval", given) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def asked(raw, still) -> Path:
    """Eleven questions about four stills, in another order than the stills."""
    for image in range(4):
        still(image)
    put(raw / "sample_world.json", "{}")
    lines(raw, "val", [row(n, (3 * n) % 4) for n in range(11)])
    return raw


def test_scores_from_shards_are_those_from_the_file(asked, out, tmp_path, capsys):
    run(asked, out)
    guesses = tmp_path / "p.jsonl"
    guesses.write_text(
        "".join(
            json.dumps(
                {
                    "annot_id": f"val-{n}",
                    "q2a": [float(at == n % 4 and n % 3 > 0) for at in range(4)],
                    "qa2r": [0, n % 2, 0, 0.5],
                }
            )
            + "\n"
            for n in reversed(range(11))
        )
    )
    results = [
        score(capsys, "--annotations", asked / "vcr" / "val.jsonl", "--predictions", guesses),
        score(capsys, "--data", out, "--predictions", guesses),
    ]
    assert results[0]["metrics"] == results[1]["metrics"]
    assert 0 < results[1]["metrics"]["q2ar"]["value"] < 100
    assert results[1]["references"]["path"] == str(out / "vcr" / "val")
    assert results[1]["sample"]


@pytest.mark.parametrize("model", ["constant", "shortest", "noisy-oracle"])
def test_predictors_see_the_same_from_shards(asked, out, capsys, model):
    run(asked, out)
    model = f"baseline:{model}"
    from_file = score(capsys, "--annotations", asked / "vcr" / "val.jsonl", "--model", model)
    assert score(capsys, "--data", out, "--model", model)["metrics"] == from_file["metrics"]


def test_arrays_in_the_order_of_the_file_fit_the_shards(asked, out, tmp_path, capsys):
    import numpy as np

    run(asked, out)
    for name, seed in (("q2a", 1), ("qa2r", 2)):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(seed).random((11, 4)))
    arrays = f"{tmp_path}/q2a.npy,{tmp_path}/qa2r.npy"
    from_file = score(capsys, "--annotations", asked / "vcr" / "val.jsonl", "--predictions", arrays)
    assert score(capsys, "--data", out, "--predictions", arrays)["metrics"] == from_file["metrics"]


def test_shards_without_labels_cannot_be_scored(raw, still, out, capsys):
    still(0)
    lines(raw, "test", [row(0, 0, "test", answer_label=None, rationale_label=None)])
    run(raw, out)
    given = ["vcr", "--split", "test", "--data", str(out), "--model", "baseline:constant"]
    assert exit_code(eval_group, "vle-eval", given) == 3
    assert "1 of 1 items have no labels" in capsys.readouterr().err
