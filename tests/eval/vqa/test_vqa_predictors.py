"""Answers without a model: the floor, a human, the ceiling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from vqa_world import annotation_file, question, write

from vle_bench.errors import DataProblem
from vle_bench.eval.predictors import PREDICTORS, predictor_names
from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.vqa.gold import Annotation, gold_of
from vle_bench.eval.vqa.predictors import most_frequent
from vle_bench.eval.vqa.task import TASK


def request(folder: Path, model: str, **more: Any) -> VqaRequest:
    asked = {"annotations": str(folder / "a.json"), "resamples": 0, "data": str(folder / "none")}
    return VqaRequest(model=f"baseline:{model}", **{**asked, **more})


def answers(folder: Path, model: str, **more: Any) -> list[str]:
    scored = TASK.score(request(folder, model, **more))
    return [json.loads(line)["answer"] for line in scored.prediction_lines.splitlines()]


def test_every_named_predictor_can_be_loaded():
    for name in predictor_names("vqa"):
        assert callable(PREDICTORS.load(f"vqa/{name}"))


def test_the_prior_counts_normalised_answers_and_breaks_ties_by_the_alphabet():
    made = [
        question(1000, ["Two", "2", "3"], question_type="how many"),
        question(2000, ["zebra", "ape", "the ape", "Zebra."], question_type="what"),
    ]
    best, overall = most_frequent(gold_of(msgspec.convert(made, list[Annotation]), "here"))
    assert best == {"how many": "2", "what": "ape"}
    assert overall == "2"


@pytest.fixture
def val_and_train(tmp_path: Path) -> Path:
    val = [
        question(1000, ["yes"] * 4, question_type="is"),
        question(2000, ["red"] * 4, question_type="never seen"),
        question(3000, ["no"] * 4, question_type="is"),
    ]
    train = [
        question(5000, ["no"] * 9, question_type="is"),
        question(6000, ["blue"] * 10, question_type="what"),
    ]
    annotation_file(tmp_path / "v2_mscoco_val2014_annotations.json", val)
    annotation_file(tmp_path / "v2_mscoco_train2014_annotations.json", train)
    return tmp_path


def test_the_prior_learns_on_the_train_file_beside_the_official_val_file(val_and_train):
    val = str(val_and_train / "v2_mscoco_val2014_annotations.json")
    assert answers(val_and_train, "prior", annotations=val) == ["no", "blue", "no"]
    scored = TASK.score(request(val_and_train, "prior", annotations=val))
    assert any("1 questions have a type that train does not have" in one for one in scored.notes)
    assert set(scored.inputs) == {"annotations", "train[annotations]"}


def test_the_prior_never_learns_on_what_it_is_scored_on(world):
    with pytest.raises(DataProblem) as caught:
        TASK.score(request(world, "prior", data="nowhere"))
    assert str(caught.value) == (
        "baseline:prior learns on the train split; looked for nowhere/vqav2/train, found nothing. "
        "Prepare train with vle-prep run vqav2, or name its shards with --data."
    )


def test_a_missing_train_file_is_named(val_and_train):
    (val_and_train / "v2_mscoco_train2014_annotations.json").unlink()
    val = str(val_and_train / "v2_mscoco_val2014_annotations.json")
    with pytest.raises(DataProblem, match=r"train2014_annotations.json and .*none/vqav2/train"):
        TASK.score(request(val_and_train, "prior", annotations=val))


def test_an_annotator_is_scored_on_the_others_only(tmp_path):
    annotation_file(tmp_path / "a.json", [question(1000, ["cat", "cat", "cat"])])
    scored = TASK.score(request(tmp_path, "annotator"))
    assert scored.metrics["accuracy"].value == pytest.approx(200 / 3)
    assert scored.items["matches"].tolist() == [2]
    assert scored.protocol == "official-other-annotators"
    assert "loo" not in dict(scored.signature)
    assert dict(scored.signature)["annotator"] == "s0"


def test_an_annotator_whom_nobody_agrees_with_earns_nothing(tmp_path):
    annotation_file(tmp_path / "a.json", [question(1000, [f"cat {n}" for n in range(10)])])
    for protocol in ("official", "always", "lavis", "simple"):
        scored = TASK.score(request(tmp_path, "annotator", protocol=protocol))
        assert scored.metrics["accuracy"].value == 0


def test_the_annotator_is_drawn_by_seed_and_id_alone(tmp_path):
    made = [question(1000 * n, [f"{n} answer {k}" for k in range(10)]) for n in range(1, 41)]
    annotation_file(tmp_path / "a.json", made)
    first, other = (answers(tmp_path, "annotator", seed=seed) for seed in (0, 1))
    assert first != other
    assert [answer.split()[0] for answer in first] == [str(n) for n in range(1, 41)]
    assert len({answer.split()[2] for answer in first}) > 5
    annotation_file(tmp_path / "a.json", made[::-1])
    assert answers(tmp_path, "annotator", seed=0) == first[::-1]


def test_an_annotator_with_three_others_who_agree_earns_all(tmp_path):
    made = [question(1000 * n, ["cat"] * 6 + ["dog"] * 4) for n in range(1, 40)]
    annotation_file(tmp_path / "a.json", made)
    scored = TASK.score(request(tmp_path, "annotator"))
    assert scored.items["score"].tolist() == [1.0] * 39
    assert set(scored.items["matches"].tolist()) == {3, 5}


def test_the_oracle_takes_what_most_annotators_gave_and_the_vocabulary_holds(tmp_path):
    made = [
        question(1000, ["black"] * 5 + ["red"] * 3 + ["blue"] * 2),
        question(2000, ["green"] * 10),
        question(3000, ["cat", "dog"] * 2),
    ]
    annotation_file(tmp_path / "a.json", made)
    write(tmp_path / "v.json", ["red", "dog", "blue", "cat"])
    vocabulary = str(tmp_path / "v.json")
    assert answers(tmp_path, "oracle", vocabulary=vocabulary) == ["red", "red", "dog"]
    scored = TASK.score(request(tmp_path, "oracle", vocabulary=vocabulary))
    assert scored.notes[0] == (
        "baseline:oracle: 1 of 3 questions have no right answer in the vocabulary of 4."
    )
    assert scored.items["score"].tolist()[1] == 0


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [("official", [0, 100]), ("always", [100, 100]), ("lavis", [100, 0]), ("soft-label", [100])],
)
def test_the_oracle_reads_as_its_protocol_reads(protocol, expected, tmp_path):
    # "two" is unanimous in the first question; only where it is normalised does "2" match it.
    made = [question(1000, ["Yes"] * 10), question(2000, ["two"] * 9 + ["x"])]
    if protocol == "lavis":
        made[0] = question(1000, ["yes"] * 10)
    if protocol == "soft-label":
        made[0] = question(1000, ["yes"] * 10)
    annotation_file(tmp_path / "a.json", made)
    write(tmp_path / "v.json", ["2", "yes"])
    scored = TASK.score(
        request(tmp_path, "oracle", protocol=protocol, vocabulary=str(tmp_path / "v.json"))
    )
    assert (100 * scored.items["score"]).round(6).tolist() == expected


def test_no_vocabulary_answer_beats_the_oracle(tmp_path):
    pool = ["cat", "Cat", "the cat", "2", "two", "red", "dark red", "yes"]
    made = [
        question(1000 * n, [pool[(n * k * k + k) % len(pool)] for k in range(10)])
        for n in range(1, 30)
    ]
    annotation_file(tmp_path / "a.json", made)
    vocabulary = ["red", "cat", "2", "yes"]
    write(tmp_path / "v.json", vocabulary)
    for protocol in ("official", "always", "lavis", "simple", "soft-label"):
        asked: dict[str, Any] = {"protocol": protocol, "vocabulary": str(tmp_path / "v.json")}
        best = TASK.score(request(tmp_path, "oracle", **asked)).items["score"]
        for answer in vocabulary:
            write(
                tmp_path / "p.json",
                [{"question_id": entry["question_id"], "answer": answer} for entry in made],
            )
            one = TASK.score(
                VqaRequest(
                    annotations=str(tmp_path / "a.json"),
                    predictions=(str(tmp_path / "p.json"),),
                    resamples=0,
                    **asked,
                )
            ).items["score"]
            assert (one <= best + 1e-12).all()


def test_an_oracle_without_any_right_answer_says_the_first_label(tmp_path):
    annotation_file(tmp_path / "a.json", [question(1000, ["cat"] * 4)])
    write(tmp_path / "v.json", ["no", "yes"])
    assert answers(tmp_path, "oracle", vocabulary=str(tmp_path / "v.json")) == ["no"]
