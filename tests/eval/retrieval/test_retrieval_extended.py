"""Extended positives: against plain loops over sorted candidates."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vle_bench.eval.retrieval.extended import extended_of, read_positives
from vle_bench.eval.retrieval.gold import TextRow, gold_of
from vle_bench.eval.retrieval.similarity import FeatureSimilarity, MatrixSimilarity


def slow(scores: list[float], right: set[int], rule: str) -> tuple[float, float]:
    key = {"pessimistic": lambda at: at in right, "optimistic": lambda at: at not in right,
           "stable": lambda _: False}[rule]  # fmt: skip
    order = sorted(range(len(scores)), key=lambda at: (-scores[at], key(at), at))
    hits = [at in right for at in order[: len(right)]]
    precisions = [sum(hits[: k + 1]) / (k + 1) for k in range(len(hits)) if hits[k]]
    return sum(precisions) / len(right), sum(hits) / len(right)


@pytest.mark.parametrize("rule", ["pessimistic", "optimistic", "stable"])
def test_both_metrics_equal_plain_loops(tmp_path, rule) -> None:
    rng = np.random.default_rng(5)
    gold = gold_of([TextRow(f"t{at}", (f"i{at // 4}",), 1) for at in range(80)])
    images, texts = rng.integers(-2, 3, (20, 4)), rng.integers(-2, 3, (80, 4))
    scores = images @ texts.T
    for direction, table, (keys, values) in (
        ("i2t", scores, (gold.image_ids, gold.text_ids)),
        ("t2i", scores.T, (gold.text_ids, gold.image_ids)),
    ):
        lists = {
            keys[at]: [values[one] for one in rng.permutation(len(values))[: rng.integers(1, 15)]]
            for at in rng.permutation(len(keys))[:9].tolist()
        }
        (tmp_path / "P.json").write_text(json.dumps(lists))
        found, inputs = read_positives([str(tmp_path / "P.json")], gold)
        assert list(found) == [direction]
        assert list(inputs) == ["positives"]
        for similarity in (
            MatrixSimilarity(scores),
            FeatureSimilarity(images.astype(np.float32), texts.astype(np.float32)),
        ):
            got = extended_of(similarity, found[direction], direction, rule=rule)
            assert [keys[at] for at in got.queries] == sorted(lists, key=keys.index)
            for at, query in enumerate(got.queries.tolist()):
                right = {values.index(one) for one in lists[keys[query]]}
                assert (got.map_at_r[at], got.r_precision[at]) == pytest.approx(
                    slow(table[query].tolist(), right, rule)
                )


def test_the_command_adds_them_with_intervals_and_their_own_n(score, world) -> None:
    (world / "P.json").write_text('{"5": [70, 72, 73], "9": [72]}')
    run = score("--scores", world / "S.npy", "--positives", world / "P.json")
    assert run.code == 0, run.err
    found = json.loads(run.out)
    # 5 ranks 70 73 72 71: all of its three come first. 9 ranks 72 first.
    assert found["metrics"]["i2t_map_r"]["value"] == pytest.approx(100)
    assert found["metrics"]["i2t_r_precision"]["n"] == 2
    assert "t2i_map_r" not in found["metrics"]
    assert "|positives:" in found["signature"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"5": []}', "no positive"),
        ('{"": [70]}', "'' is no id"),
        ('{"5": [""]}', "'' is no id"),
        ('{"5": [70, 70]}', "twice"),
        ('{"5": [70, 99]}', "99"),
        ('{"4": [70]}', "4"),
        ("[1]", "positives"),
        ("{}", "pictures and texts alike"),
        ('{"5": [true]}', "positives"),
    ],
)
def test_what_is_no_file_of_positives_is_refused(score, world, text, said) -> None:
    (world / "P.json").write_text(text)
    run = score("--scores", world / "S.npy", "--positives", world / "P.json")
    assert run.code == 3
    assert said in run.err


def test_positives_that_nothing_can_find_count_as_never_found_where_that_is_asked(
    score, world
) -> None:
    (world / "P.json").write_text('{"5": [70, 99, 72], "9": [98]}')
    asked = ("--scores", world / "S.npy", "--positives", world / "P.json")
    run = score(*asked)
    assert run.code == 3
    assert "2 ids are not among the references: 98, 99." in run.err
    assert "or count them as never found with --missing zero" in run.err
    found = score(*asked, "--missing", "zero")
    # 5 ranks 70 73 72: 1/1 and 2/3 of three. 9 has none that could be found.
    assert found.values["i2t_map_r"] == pytest.approx(100 * (1 + 2 / 3) / 3 / 2)
    assert found.values["i2t_r_precision"] == pytest.approx(100 * 2 / 3 / 2)
    assert found.document["metrics"]["i2t_map_r"]["n"] == 2
    assert "i2t: 2 extended positives are not among the references" in found.err
    (world / "P.json").write_text('{"99": [70]}')
    assert "Give the references that the file was made for. " in score(*asked).err


def test_lists_of_ten_are_not_deep_enough(score, world) -> None:
    (world / "P.json").write_text('{"5": [70]}')
    (world / "L.jsonl").write_text('{"image_id": 5, "text_ids": [70, 71, 72, 73]}\n')
    run = score("--predictions", world / "L.jsonl", "--missing", "zero", "--positives",
                world / "P.json")  # fmt: skip
    assert run.code == 2
    assert "deep" in run.err


def test_both_directions_have_a_file_each_and_none_has_two(score, world) -> None:
    (world / "I.json").write_text('{"5": [70, 72, 73]}')
    (world / "T.json").write_text('{"70": [5], "72": [5, 9]}')
    asked = ("--scores", world / "S.npy", "--positives", world / "I.json", "--positives")
    found = score(*asked, world / "T.json")
    assert found.code == 0, found.err
    assert {"i2t_map_r", "t2i_map_r"} <= set(found.values)
    assert {"positives[1]", "positives[2]"} <= set(found.document["stamp"]["inputs"])
    twice = score(*asked, world / "I.json")
    assert twice.code == 3
    assert "I.json: positives of i2t were given already. Give one." in twice.err


def test_ids_that_nobody_knows_are_named_from_the_side_that_asks(score, world) -> None:
    for text, strange in (('{"70": [5, 98]}', "98"), ('{"5": [70, 98]}', "98"),
                          ('{"70": [5], "99": [5]}', "99")):  # fmt: skip
        (world / "P.json").write_text(text)
        ran = score("--scores", world / "S.npy", "--positives", world / "P.json")
        assert ran.code == 3
        assert f"1 ids are not among the references: {strange}." in ran.err
