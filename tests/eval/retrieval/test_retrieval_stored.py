"""Retrieval results that stay: item rows, ranked lists, scoring afresh, and the predictors."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def store(vle_eval, world):
    def call(*args: object, name: str = "m"):
        ran = vle_eval(
            "retrieval", "--texts", world / "T.jsonl", "--dataset", "tiny", "--split", "test",
            "--resamples", 20, "--model-name", name, "--results", world / "results", *args,
        )  # fmt: skip
        assert ran.code == 0, ran.err
        return world / "results" / "retrieval" / "tiny" / "test" / name

    return call


def test_one_row_a_query_with_its_direction_and_rank(store, world) -> None:
    table = pq.read_table(store("--scores", world / "S.npy") / "items.parquet").to_pydict()
    assert table["id"] == ["5", "3", "9", "70", "71", "72", "73"]
    assert table["direction"] == table["group"] == ["i2t"] * 3 + ["t2i"] * 4
    assert table["image_id"] == ["5", "3", "9", "5", "3", "5", "9"]
    assert table["prediction"] == ["70", "70", "72", "5", "3", "9", "3"]
    assert table["rank"] == [0, 1, 1, 0, 0, 1, 0]
    assert table["score"] == [1, 0, 0, 1, 1, 0, 1]


def test_a_rank_that_no_list_reaches_is_null(store, world) -> None:
    rows = [{"text_id": at, "image_ids": [5, 3, 9]} for at in range(70, 74)]
    path = world / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = pq.read_table(store("--predictions", path) / "items.parquet")
    assert table["rank"].to_pylist() == [0, 1, 0, 1]
    assert str(table.schema.field("rank").type) == "double"


def test_stored_lists_are_scored_afresh_with_the_same_recalls(vle_eval, store, world) -> None:
    tied = np.round(np.random.default_rng(0).random((3, 4)), 1)
    np.save(world / "tied.npy", tied)
    for rule in ("pessimistic", "optimistic", "stable"):
        store("--scores", world / "tied.npy", "--ties", rule, name=rule)
    ran = vle_eval("retrieval", "--split", "test", "--results", world / "results", "--json")
    assert "changed" not in ran.err
    fresh = {one["model"]: one for one in ran.document["results"]}
    assert set(fresh) == {"pessimistic", "optimistic", "stable"}
    for rule, document in fresh.items():
        assert document["protocol"] == "listed"
        assert "i2t_medr" not in document["metrics"]
        folder = world / "results" / "retrieval" / "tiny" / "test" / rule
        before = json.loads((folder / "result.json").read_text())["metrics"]
        assert all(before[name] == metric for name, metric in document["metrics"].items())


def test_expected_hits_are_in_no_list_and_that_is_said(vle_eval, store, world) -> None:
    store("--scores", world / "S.npy", "--ties", "expected", name="e")
    ran = vle_eval("retrieval", "--split", "test", "--results", world / "results")
    assert ran.code == 3
    assert "its predictions do not hold all that its score needs." in ran.err


def test_a_second_run_leaves_the_store_untouched(store, world) -> None:
    folder = store("--scores", world / "S.npy")
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    store("--scores", world / "S.npy")
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert after == before


def test_constant_reaches_nothing_by_default(score) -> None:
    assert score("--model", "baseline:constant").values["rsum"] == pytest.approx(
        # Within ten of three pictures and four texts even the last place is a hit.
        sum((0, 100, 100)) + sum((0, 100, 100))
    )


def test_shortest_ranks_texts_by_their_length(score, world, store) -> None:
    folder = store("--model", "baseline:shortest", name="s")
    table = pq.read_table(folder / "items.parquet").to_pydict()
    assert table["prediction"][:3] == ["73", "73", "73"]
    assert table["rank"][:3] == [2, 0, 0]  # x, a dog, 一只红色的鸟 (six), three birds
    ran = score("--model", "baseline:shortest", "--ties", "optimistic")
    assert ran.values["t2i_r1"] == 100


def test_shortest_needs_the_texts(vle_eval, tmp_path) -> None:
    (tmp_path / "T.jsonl").write_text('{"text_id": 1, "image_ids": [1]}')
    ran = vle_eval("retrieval", "--texts", tmp_path / "T.jsonl", "--model", "baseline:shortest")
    assert ran.code == 3
    assert "1 references without text: 1." in ran.err


def test_noisy_oracle_depends_on_ids_and_seed_alone(vle_eval, tmp_path) -> None:
    rows = [{"text_id": at, "text": "t", "image_ids": [at // 5]} for at in range(500)]

    def values(order: list[int], seed: int) -> dict[str, float]:
        path = tmp_path / "T.jsonl"
        path.write_text("".join(json.dumps(rows[at]) + "\n" for at in order))
        ran = vle_eval("retrieval", "--texts", path, "--model", "baseline:noisy-oracle",
                       "--seed", seed, "--resamples", 0, "--json")  # fmt: skip
        return ran.values

    found = values(list(range(500)), 0)
    assert 50 < found["t2i_r1"] < 99
    shuffled = np.random.default_rng(0).permutation(500).tolist()
    assert values(shuffled, 0) == found
    assert values(list(range(500)), 1) != found


@pytest.mark.parametrize("option", ["--lists", "--score-json", "--feature-lines"])
def test_what_writes_one_run_is_refused_where_stored_ones_are_scored(
    vle_eval, store, world, option
) -> None:
    store("--scores", world / "S.npy")
    ran = vle_eval(
        "retrieval", "--split", "test", "--results", world / "results", option, world / "x"
    )
    assert (ran.code, "write one run" in ran.err) == (2, True)
    assert not (world / "x").exists()
