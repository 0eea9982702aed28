"""What may stand beside what: each reason alone, and what is only noted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from vle_bench.catalog.comparison import (
    Comparison,
    RunDescription,
    compare,
    rows_for,
    splits_of_training,
)
from vle_bench.catalog.published import PublishedScore, load_published

ROW = PublishedScore(
    model="M",
    dataset="vqav2",
    split="test-dev",
    split_note="",
    setting="finetuned",
    setting_note="",
    metric="accuracy",
    value="77.6",
    verified="yes",
    trained_on="train+val",
    source="S",
    note="",
    protocol="official",
)
RUN = RunDescription(
    dataset="vqav2",
    split="test-dev",
    protocol="official",
    setting="finetuned",
    trained_on=("train", "val"),
    metrics=("accuracy",),
)


def run(**changes: Any) -> RunDescription:
    fields = {name: getattr(RUN, name) for name in RUN.__struct_fields__}
    return RunDescription(**(fields | changes))


def row(**changes: Any) -> PublishedScore:
    return msgspec.structs.replace(ROW, **changes)


def test_the_same_measurement_is_comparable_without_a_note() -> None:
    verdict = compare(RUN, ROW)
    assert verdict == Comparison((), ())
    assert verdict.comparable


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        ({"dataset": "vcr"}, {}, "dataset: vqav2, ours is vcr"),
        ({"split": "test-std"}, {}, "split: test-dev, ours is test-std"),
        ({"split": ""}, {}, "split: test-dev, ours is not stated"),
        ({"protocol": "lavis"}, {}, "protocol: official, ours is lavis"),
        ({"protocol": ""}, {}, "protocol: official, ours is not stated"),
        ({"setting": "zero-shot"}, {}, "setting: finetuned, ours is zero-shot"),
        ({}, {"setting": "instruction-tuned"}, "setting: instruction-tuned, ours is finetuned"),
        ({}, {"metric": "accuracy[number]"}, "metric: accuracy[number], ours has none"),
        ({}, {"part": "region=west"}, "part of the split: region=west"),
        ({"part": "9 of 10"}, {}, "split: all of test-dev, ours is 9 of 10"),
        ({"captions": 9}, {"split_note": "1,000 captions"}, "captions: 1,000, ours are 9"),
        ({"sample": True}, {}, "sample world"),
        ({"trained_on": ("train", "test-dev")}, {}, "ours was trained on test-dev"),
        ({"trained_on": ("test",)}, {}, "ours was trained on test"),
        ({}, {"trained_on": "train+test"}, "the published model was trained on train+test"),
    ],
)
def test_each_difference_alone_is_a_reason(
    ours: dict[str, Any], theirs: dict[str, Any], why: str
) -> None:
    verdict = compare(run(**ours), row(**theirs))
    assert verdict.why == (why,)
    assert not verdict.comparable


def test_every_reason_is_told_not_the_first_only() -> None:
    verdict = compare(run(split="val", protocol="simple", setting="zero-shot"), ROW)
    assert verdict.why == (
        "split: test-dev, ours is val",
        "protocol: official, ours is simple",
        "setting: finetuned, ours is zero-shot",
        "ours was trained on val",
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "notes"),
    [
        ({"trained_on": ()}, {}, ("training data not stated",)),
        ({}, {"trained_on": ""}, ("training data not stated",)),
        ({"setting": ""}, {}, ("our setting not stated",)),
        ({}, {"protocol": "", "protocol_note": "no tie rule"}, ("no tie rule",)),
    ],
)
def test_what_is_not_stated_is_noted_and_is_no_difference(
    ours: dict[str, Any], theirs: dict[str, Any], notes: tuple[str, ...]
) -> None:
    assert compare(run(**ours), row(**theirs)) == Comparison((), notes)


def test_dev_is_val_on_either_side() -> None:
    assert compare(
        run(split="dev", trained_on=("train",)), row(split="val", trained_on="")
    ).comparable
    assert compare(
        run(split="val", trained_on=("train",)), row(split="dev", trained_on="")
    ).comparable
    assert compare(run(split="val", trained_on=("dev",)), row(split="val", trained_on="")).why == (
        "ours was trained on val",
    )


@pytest.mark.parametrize("trained_on", ["train+val", "train+val less 1,000 random val images"])
def test_a_model_that_saw_val_is_not_comparable_on_val_or_a_part_of_it(trained_on: str) -> None:
    for split in ("val", "minival", "rest_val"):
        verdict = compare(
            run(split=split, trained_on=("train",)), row(split=split, trained_on=trained_on)
        )
        assert verdict.why == (f"the published model was trained on {trained_on}",)


def test_training_on_the_rest_of_val_leaves_the_held_out_part_clean() -> None:
    held_out = row(split="rest_val", trained_on="")
    assert compare(run(split="rest_val", trained_on=("trainable_val",)), held_out).comparable
    whole = row(split="val", trained_on="")
    assert compare(run(split="val", trained_on=("trainable_val",)), whole).why == (
        "ours was trained on trainable_val",
    )


def test_a_dataset_without_a_manifest_compares_its_splits_by_name() -> None:
    theirs = row(dataset="muge", split="val", protocol="", trained_on="")
    ours = run(dataset="muge", split="val", trained_on=("train",))
    assert compare(ours, theirs).comparable
    assert compare(run(dataset="muge", split="val", trained_on=("val",)), theirs).why == (
        "ours was trained on val",
    )


def test_the_karpathy_test_split_goes_by_its_published_name() -> None:
    theirs = row(dataset="coco-karpathy-5k", split="test", protocol="", trained_on="")
    for name in ("coco", "coco-karpathy-5k"):
        ours = run(dataset=name, split="test", protocol="pessimistic", trained_on=("train",))
        assert compare(ours, theirs).comparable


def test_folds_of_a_thousand_are_another_measurement() -> None:
    theirs = row(dataset="coco-karpathy-1k", split="test", protocol="", trained_on="")
    ours = run(dataset="coco", split="test", trained_on=("train",))
    (why,) = compare(ours, theirs).why
    assert why == (
        "dataset: coco-karpathy-1k (the mean over five folds of 1,000 pictures of the Karpathy "
        "test split), ours is coco"
    )
    assert compare(run(dataset="coco-karpathy-1k", split="test", trained_on=()), theirs).comparable


@pytest.mark.parametrize(
    ("text", "splits"),
    [
        ("", ()),
        ("train", ("train",)),
        ("train + dev", ("train", "val")),
        ("train+val less 1,000 random val images", ("train", "val")),
    ],
)
def test_the_splits_of_a_training_note_are_read(text: str, splits: tuple[str, ...]) -> None:
    assert splits_of_training(text) == splits


def test_comparable_rows_come_first_then_the_higher_value() -> None:
    rows = [
        row(model="a", value="70.0"),
        row(model="b", value="9.5"),
        row(model="c", value="80.0", split="test-std"),
        row(model="d", value="70.0"),
    ]
    found = rows_for(RUN, reversed(rows))
    assert [(score.model, verdict.comparable) for score, verdict in found] == [
        ("a", True),
        ("d", True),
        ("b", True),
        ("c", False),
    ]


def test_only_rows_of_the_dataset_and_of_metrics_the_run_has_are_given() -> None:
    rows = [row(), row(metric="q2a"), row(dataset="vcr")]
    assert [score for score, _ in rows_for(RUN, rows)] == [ROW]


def test_a_val_run_of_vqav2_stands_beside_no_server_score() -> None:
    found = rows_for(run(split="val", trained_on=("train",)))
    assert len(found) == 113
    assert not any(verdict.comparable for _, verdict in found)


def test_a_vcr_run_on_dev_stands_beside_the_published_val_scores() -> None:
    ours = RunDescription(
        dataset="vcr", split="dev", protocol="q2ar", metrics=("q2a", "qa2r", "q2ar")
    )
    comparable = [score for score, verdict in rows_for(ours) if verdict.comparable]
    expected = [s for s in load_published() if s.dataset == "vcr" and s.split == "val"]
    assert {s.place for s in comparable} == {s.place for s in expected}
    assert {s.model for s in comparable} >= {"VLE-base", "VLE-large"}


def test_the_regions_of_gd_vcr_are_parts() -> None:
    ours = RunDescription(dataset="gd-vcr", split="val", protocol="", metrics=("q2a",))
    assert [score.value for score, verdict in rows_for(ours) if verdict.comparable] == ["53.27"]


def test_no_sample_world_result_is_comparable() -> None:
    ours = RunDescription(
        dataset="vcr", split="val", protocol="", metrics=("q2a", "qa2r", "q2ar"), sample=True
    )
    found = rows_for(ours)
    assert found
    assert all(verdict.why[0] == "sample world" for _, verdict in found)
