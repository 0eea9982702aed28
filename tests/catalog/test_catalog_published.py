"""Published scores: nothing lost from the collection, nothing contradictory accepted."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.catalog.published import (
    PublishedScore,
    by_dataset,
    consistency_problems,
    load_published,
    read_published,
)
from vle_bench.errors import DataProblem

BLOCK = """
[[scores]]
model = "M"
split = "test"
setting = "finetuned"
verified = "yes"
source = "{source}"
values = {{ {values} }}
"""


def published(folder: Path, *blocks: tuple[str, str], head: str = 'dataset = "d"') -> Path:
    text = head + "\n" + "".join(BLOCK.format(source=s, values=v) for s, v in blocks)
    (folder / "d.toml").write_text(text, encoding="utf-8")
    return folder


def refused(folder: Path) -> list[str]:
    with pytest.raises(DataProblem) as caught:
        load_published(folder)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def row(metric: str, value: str, **changes: str) -> PublishedScore:
    plain = PublishedScore(
        model="M",
        dataset="d",
        split="test",
        split_note="",
        setting="finetuned",
        setting_note="",
        metric=metric,
        value=value,
        verified="yes",
        trained_on="",
        source="S",
        note="",
        place=f"{metric}:{value}",
    )
    return msgspec.structs.replace(plain, **changes)


def test_every_row_of_the_collection_is_kept_digit_for_digit(reference: Path) -> None:
    with (reference / "baselines.csv").open(newline="", encoding="utf-8") as stream:
        theirs = list(csv.DictReader(stream))
    columns = list(theirs[0])
    ours = [{name: getattr(score, name) for name in columns} for score in load_published()]
    assert len(theirs) == 819

    def count(rows: list[dict[str, str]]) -> Counter[tuple[str, ...]]:
        return Counter(tuple(entry[name] for name in columns) for entry in rows)

    assert count(ours) == count(theirs)


def test_the_packaged_scores_number_819_in_ten_datasets() -> None:
    groups = by_dataset(load_published())
    assert {name: len(rows) for name, rows in groups.items()} == {
        "aic-icc": 12,
        "coco-cn": 108,
        "coco-karpathy-1k": 6,
        "coco-karpathy-5k": 158,
        "flickr30k": 180,
        "flickr30k-cn": 95,
        "gd-vcr": 5,
        "muge": 60,
        "vcr": 79,
        "vqav2": 116,
    }


def test_the_packaged_scores_are_consistent() -> None:
    assert consistency_problems(read_published()) == []


def test_each_packaged_file_is_called_like_its_dataset_and_sorted() -> None:
    for name, rows in by_dataset(load_published()).items():
        assert {str(score.place).rpartition(":")[0] for score in rows} == {
            f"manifests/published/{name}.toml"
        }
        splits = [score.split for score in rows]
        first = list(dict.fromkeys(splits))
        assert splits == sorted(splits, key=first.index)
        for split in first:
            models = [score.model for score in rows if score.split == split]
            assert models == sorted(models)


def test_trailing_zeros_are_kept() -> None:
    ofa = [score for score in load_published() if score.model == "OFA-huge"]
    assert {score.value for score in ofa} == {"82.0"}
    assert {score.number for score in ofa} == {82.0}


def test_two_sources_of_one_score_stay_two_rows() -> None:
    rows = [
        score
        for score in load_published()
        if (score.model, score.split, score.metric) == ("UNITER-large", "test-dev", "accuracy")
    ]
    assert [score.value for score in rows] == ["73.8", "73.82"]


def test_a_block_takes_the_protocol_of_its_file_unless_it_has_its_own() -> None:
    protocols = {
        (score.split, score.protocol)
        for score in load_published()
        if score.dataset == "vqav2" and score.metric == "accuracy"
    }
    assert protocols == {
        ("test-dev", "official"),
        ("test-std", "official"),
        ("minival", "label look-up"),
        ("val-part", ""),
    }


def test_swapped_recalls_are_refused_with_both_numbers_and_the_rule(tmp_path: Path) -> None:
    published(tmp_path, ("S", 't2i_r1 = "67.2", t2i_r5 = "92.8", t2i_r10 = "87.7"'))
    assert refused(tmp_path) == [
        "Published scores contradict themselves:",
        (
            "d.toml:9: M, t2i_r5 = 92.8 is above t2i_r10 = 87.7 (d.toml:9); "
            "the rule is t2i_r1 <= t2i_r5 <= t2i_r10."
        ),
        "Compare with the source, correct the digits or the columns.",
    ]


def test_recalls_are_compared_across_a_missing_one(tmp_path: Path) -> None:
    published(tmp_path, ("S", 'i2t_r10 = "50.0", i2t_r1 = "50.1"'))
    assert "i2t_r1 = 50.1 is above i2t_r10 = 50.0" in refused(tmp_path)[1]


def test_the_directions_are_not_compared_with_each_other(tmp_path: Path) -> None:
    published(tmp_path, ("S", 'i2t_r1 = "90.0", t2i_r5 = "80.0"'))
    assert len(load_published(tmp_path)) == 2


@pytest.mark.parametrize("half", ["q2a", "qa2r"])
def test_both_right_cannot_be_more_often_than_one_right(tmp_path: Path, half: str) -> None:
    scores = {"q2a": "70.0", "qa2r": "70.0", "q2ar": "60.0"} | {half: "59.9"}
    values = ", ".join(f'{name} = "{value}"' for name, value in scores.items())
    published(tmp_path, ("S", values))
    assert refused(tmp_path)[1] == (
        f"d.toml:9: M, q2ar = 60.0 is above {half} = 59.9 (d.toml:9); the rule is q2ar <= {half}."
    )


def test_rows_of_two_sources_need_not_agree(tmp_path: Path) -> None:
    published(tmp_path, ("S", 'i2t_r1 = "60.0"'), ("T", 'i2t_r5 = "50.0", i2t_r1 = "49.0"'))
    assert [score.source for score in load_published(tmp_path)] == ["S", "T", "T"]


def test_a_row_that_stands_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    published(tmp_path, ("S", 'accuracy = "60.0"'), ("S", 'accuracy = "61.0"'))
    assert refused(tmp_path)[1] == (
        "d.toml:17: M, accuracy = 61.0 stands twice, 60.0 at d.toml:9: "
        "one row for one model, split, setting and source."
    )


@pytest.mark.parametrize(
    ("metric", "value", "said"),
    [
        ("accuracy", "7x", '"7x" is no number; expected digits as printed, e.g. "82.0"'),
        ("accuracy", "-1", '"-1" is no number; expected digits as printed, e.g. "82.0"'),
        ("accuracy", "nan", '"nan" is no number; expected digits as printed, e.g. "82.0"'),
        ("accuracy", "1e1", '"1e1" is no number; expected digits as printed, e.g. "82.0"'),
        ("accuracy", "100.1", "100.1 is out of range; expected 0 to 100"),
        ("rsum", "600.5", "600.5 is out of range; expected 0 to 600"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    tmp_path: Path, metric: str, value: str, said: str
) -> None:
    published(tmp_path, ("S", f'{metric} = "{value}"'))
    assert refused(tmp_path)[1] == f"d.toml:9: M, {metric}: {said}."


def test_ranks_are_counts_and_have_no_ceiling(tmp_path: Path) -> None:
    published(tmp_path, ("S", 'i2t_meanr = "812.5"'))
    assert load_published(tmp_path)[0].number == 812.5


def test_an_unknown_metric_is_refused(tmp_path: Path) -> None:
    published(tmp_path, ("S", 'i2t_r11 = "50.0"'))
    assert refused(tmp_path)[1].startswith("d.toml:9: M, i2t_r11: no such metric; known: accuracy")


@pytest.mark.parametrize(
    ("values", "source", "said"),
    [
        ("", "S", "d.toml:3: scores[0]: a block needs at least one value"),
        ('q2a = "1"', "", "d.toml:3: scores[0]: model, split and source may not be empty"),
        ("q2a = 1.0", "S", "d.toml:9: scores[0].values.q2a: expected str, found 1.0"),
    ],
)
def test_a_malformed_block_is_named_with_its_line(
    tmp_path: Path, values: str, source: str, said: str
) -> None:
    published(tmp_path, (source, values))
    assert refused(tmp_path)[0] == said


def test_an_inconsistent_folder_can_still_be_read_for_the_gate(tmp_path: Path) -> None:
    published(tmp_path, ("S", 'q2a = "1.0", q2ar = "2.0"'))
    (problem,) = consistency_problems(read_published(tmp_path))
    assert "q2ar = 2.0 is above q2a = 1.0" in problem


def test_different_notes_make_different_groups() -> None:
    rows = [row("q2a", "1.0", part="a"), row("q2a", "2.0", part="b"), row("q2ar", "1.5", part="b")]
    assert consistency_problems(rows) == []
    together = [msgspec.structs.replace(score, part="") for score in rows]
    assert len(consistency_problems(together)) == 2


RECALLS = ("i2t_r1", "i2t_r5", "i2t_r10")
TENTHS = st.integers(min_value=0, max_value=1000).map(lambda n: f"{n / 10:.1f}")


@given(st.tuples(TENTHS, TENTHS, TENTHS), st.permutations(range(3)))
def test_recalls_pass_exactly_when_they_rise(
    values: tuple[str, str, str], order: list[int]
) -> None:
    rows = [row(name, value) for name, value in zip(RECALLS, values, strict=True)]
    problems = consistency_problems(rows[at] for at in order)
    numbers = [float(value) for value in values]
    assert (problems == []) == (numbers == sorted(numbers))
