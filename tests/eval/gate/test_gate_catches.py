"""The gate shown to catch: each test spoils one thing in a copy of the package."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gate_copy import ROOT, PackageCopy, Seen

from vle_bench.answers import ARTICLES, MARKS, NUMBER_WORDS
from vle_bench.catalog.contractions import contractions
from vle_bench.catalog.published import load_published


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> PackageCopy:
    """A copy whose numbers were stored by the copy itself, so that its stamps are of today."""
    copy = PackageCopy(tmp_path_factory.mktemp("copy"))
    manifests = copy.package / "manifests"
    for path in [
        *manifests.rglob("expected*.json"),
        *manifests.glob("golden/tables/leaderboard.*"),
    ]:
        path.unlink()
    for path in manifests.glob("pins/*.toml"):
        path.write_text(path.read_text(encoding="utf-8").partition("[files]")[0], encoding="utf-8")
    stored = copy.check("--update")
    assert stored.code == 0, stored.err
    assert len(stored.moved) == len([*manifests.rglob("case.toml"), *manifests.glob("pins/*.toml")])
    return copy


@contextmanager
def spoilt(path: Path, edit: Callable[[str], str]) -> Iterator[None]:
    """A file that is another one for a while."""
    before = path.read_text(encoding="utf-8")
    after = edit(before)
    assert after != before, f"{path} has nothing to spoil"
    path.write_text(after, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


def test_the_golden_words_hold_all_that_a_reading_treats():
    """Whatever is dropped from the tables, some answer of the case is read otherwise."""
    path = ROOT / "manifests" / "golden" / "vqa_words" / "predictions.json"
    answers = [one["answer"] for one in json.loads(path.read_text(encoding="utf-8"))]
    words = {word for answer in answers for word in answer.split()}
    assert {*contractions(), *NUMBER_WORDS} <= words
    assert {word.lower() for word in words} >= ARTICLES
    between, before, behind = (
        {mark for answer in answers for mark in MARKS if form.format(mark) in f"{answer}."}
        for form in ("{}", "{} ", " {}")
    )
    assert between == before == behind == set(MARKS)


def metrics_of(seen: Seen, name: str) -> set[str]:
    return {row["metric"] for row in seen.moved[name]["differences"]}


def test_what_was_just_stored_passes(package):
    seen = package.check("--strict")
    assert (seen.code, seen.moved) == (0, {})


def test_a_changed_regex_is_caught_and_its_file_named(package):
    path = package.package / "answers.py"
    with spoilt(path, replaced(r'r"\d,\d"', r'r"\d;\d"')):
        seen = package.check()
    assert seen.code == 1
    assert {"vqa", "pins/golden-vqa-official"} <= seen.moved.keys()
    assert "accuracy[number]" in metrics_of(seen, "pins/golden-vqa-official")
    for name in ("vqa", "pins/golden-vqa-official"):
        assert seen.moved[name]["since"] == ["vle_bench/answers.py changed"]


def test_a_dropped_contraction_is_caught_and_the_table_named(package):
    path = package.package / "manifests" / "normalization" / "vqa_contractions.tsv"
    with spoilt(path, replaced("dont\tdon't\n", "")):
        seen = package.check()
    assert seen.code == 1
    assert "item other 2002" in metrics_of(seen, "vqa")
    for name in ("vqa", "pins/golden-vqa-official"):
        told = "contraction table (manifests/normalization/vqa_contractions.tsv) changed"
        assert seen.moved[name]["since"] == [told]


@pytest.mark.parametrize("dropped", ["youre\tyou're\n", "mustnt\tmustn't\n"])
def test_any_dropped_contraction_is_caught(package, dropped):
    path = package.package / "manifests" / "normalization" / "vqa_contractions.tsv"
    with spoilt(path, replaced(dropped, "")):
        seen = package.check()
    assert (seen.code, set(seen.moved)) == (1, {"vqa_words"})


def test_a_recall_one_place_too_deep_is_caught(package):
    path = package.package / "eval" / "retrieval" / "outcome.py"
    with spoilt(path, replaced("rule, at=at))", "rule, at=at + (at == 10)))")):
        seen = package.check()
    assert (seen.code, set(seen.moved)) == (1, {"retrieval_deep"})
    assert {"i2t_r10", "t2i_r10"} <= metrics_of(seen, "retrieval_deep")


def test_a_changed_tie_rule_is_caught_in_its_own_variant_only(package):
    path = package.package / "eval" / "retrieval" / "ties.py"
    with spoilt(path, replaced("found = counts.greater + others", "found = counts.greater")):
        seen = package.check()
    assert seen.code == 1
    assert set(seen.moved) >= {"retrieval", "retrieval_deep", "pins/golden-retrieval"}
    cases = {row["case"] for row in seen.moved["retrieval"]["differences"]}
    assert cases == {"retrieval pessimistic"}
    assert seen.moved["retrieval"]["since"] == ["eval/retrieval/ties.py changed"]


def test_a_swapped_direction_is_caught_though_rsum_stands_still(package):
    path = package.package / "eval" / "retrieval" / "metrics.py"
    swapped = 'name, size = "t2i" if outcome.direction == "i2t" else "i2t", len'
    with spoilt(path, replaced("name, size = outcome.direction, len", swapped)):
        seen = package.check()
    assert seen.code == 1
    moved = metrics_of(seen, "pins/golden-retrieval")
    assert {"i2t_r1", "t2i_r1"} <= moved
    assert not {"rsum", "mean_recall"} & moved
    for name in ("retrieval", "pins/golden-retrieval"):
        assert seen.moved[name]["since"] == ["eval/retrieval/metrics.py changed"]


def test_a_shifted_row_is_caught_and_the_predictions_named(package):
    path = package.package / "manifests" / "golden" / "vcr" / "predictions.jsonl"

    def shift(text: str) -> str:
        ids = [line.split(",", 1)[0] for line in text.splitlines()]
        rest = [line.split(",", 1)[1] for line in text.splitlines()]
        return "".join(f"{one},{row}\n" for one, row in zip(ids, rest[1:] + rest[:1], strict=True))

    with spoilt(path, shift):
        seen = package.check()
    assert seen.code == 1
    assert {row["case"] for row in seen.moved["vcr"]["differences"]} == {"vcr jsonl"}
    assert seen.moved["vcr"]["since"] == ["predictions (predictions.jsonl) changed"]


def test_a_shifted_row_of_a_pinned_file_is_known_by_its_digest(package):
    path = package.package / "manifests" / "golden" / "vqa" / "predictions.json"
    with spoilt(path, replaced('1000, "answer": "Yes"', '1000, "answer": "yes"')):
        seen = package.check()
    assert seen.code == 1
    name = "pins/golden-vqa-official"
    assert "predictions ../golden/vqa/predictions.json" in metrics_of(seen, name)
    assert "accuracy[yes/no]" in metrics_of(seen, name)
    told = "predictions (../golden/vqa/predictions.json) changed"
    assert seen.moved[name]["since"] == [told]


def test_a_stale_table_is_caught_and_the_published_file_named(package):
    path = package.package / "manifests" / "published" / "vcr.toml"
    with spoilt(path, replaced('"VLE-base"', '"VLE-bass"')):
        seen = package.check()
    assert seen.code == 1
    assert set(seen.moved) == {"tables"}
    assert seen.moved["tables"]["since"] == ["manifests/published/vcr.toml changed"]
    assert {metric.partition(":")[0] for metric in metrics_of(seen, "tables")} == {
        f"leaderboard.{form}" for form in ("csv", "json", "md", "tex")
    }


def test_the_golden_tables_hold_every_published_score():
    """So a digit that changes in any file of them is a byte that moves."""
    path = ROOT / "manifests" / "golden" / "tables" / "leaderboard.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        keys = ("model", "metric", "value", "verified", "source")
        shown = {tuple(row[key] for key in keys) for row in csv.DictReader(stream)}
    for row in load_published():
        assert (row.model, row.metric, row.value, row.verified, row.source) in shown


def test_one_changed_digit_of_a_published_score_is_caught(package):
    path = package.package / "manifests" / "published" / "muge.toml"
    with spoilt(path, replaced('t2i_mean_recall = "7', 't2i_mean_recall = "8')):
        seen = package.check()
    assert (seen.code, set(seen.moved)) == (1, {"tables"})
    assert seen.moved["tables"]["since"] == ["manifests/published/muge.toml changed"]
