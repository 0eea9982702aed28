"""Features that are not all there, are packed, or are no vectors."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

IMAGES, TEXTS = ["5", "3", "9"], ["70", "71", "72", "73"]
ROWS = np.array([[0.9, 0.1, 0.2, 0.3], [0.8, 0.7, 0.1, 0.6], [0.1, 0.2, 0.9, 0.5]])
COLUMNS = np.eye(4)
"""Products of the two are the scores of the small world."""


def packed(form: str, ids: list[str], features: Any) -> bytes:
    stream = io.BytesIO()
    if form == "npz":
        np.savez(stream, ids=np.array(ids), features=features)
    else:
        np.save(stream, features)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("images", "texts"), [([1, 2], [0, 1, 2, 3]), ([0, 1, 2], [1, 2, 3]), ([0, 1], [0, 2, 3])]
)
def test_features_that_are_missing_miss_as_missing_scores_do(score, world, images, texts) -> None:
    """Of one side alone too: what is absent ranks below all else, whatever vector stands first."""
    sides = {"i": (IMAGES, images, ROWS), "t": (TEXTS, texts, COLUMNS)}
    for name, (ids, there, vectors) in sides.items():
        kept = [ids[at] for at in there]
        (world / f"{name}.npz").write_bytes(packed("npz", kept, vectors[there]))
        (world / f"{name}.txt").write_text("\n".join(kept))
    np.save(world / "few.npy", ROWS[images][:, texts])
    zero = ("--missing", "zero")
    whole = score("--scores", world / "few.npy", "--image-ids", world / "i.txt",
                  "--text-ids", world / "t.txt", *zero)  # fmt: skip
    ran = score("--image-features", world / "i.npz", "--text-features", world / "t.npz", *zero)
    assert (ran.code, ran.values) == (0, whole.values), ran.err


@pytest.mark.parametrize("rule", ["pessimistic", "optimistic", "stable", "expected"])
def test_a_query_without_scores_finds_nothing_under_any_rule(score, world, rule) -> None:
    np.save(world / "few.npy", ROWS[1:, [0, 1, 3]])
    (world / "i.txt").write_text("3\n9\n")
    (world / "t.txt").write_text("70\n71\n73\n")
    ran = score("--scores", world / "few.npy", "--image-ids", world / "i.txt", "--text-ids",
                world / "t.txt", "--missing", "zero", "--ties", rule,
                "--out", world / "r")  # fmt: skip
    assert ran.code == 0, ran.err
    table = pq.read_table(world / "r" / "items.parquet", columns=["id", "prediction", "score"])
    bare = [(row["id"], row["score"]) for row in table.to_pylist() if not row["prediction"]]
    assert bare == [("5", 0.0), ("72", 0.0)]
    assert "i2t: 1 of 3 queries have no prediction" in ran.err
    assert "t2i: 1 of 4 queries have no prediction" in ran.err


@pytest.mark.parametrize("form", ["npz", "npy"])
def test_features_behind_gzip_are_the_same(score, world, form) -> None:
    (world / "i.gz").write_bytes(gzip.compress(packed(form, IMAGES, ROWS)))
    (world / "t.gz").write_bytes(gzip.compress(packed(form, TEXTS, COLUMNS)))
    ran = score("--image-features", world / "i.gz", "--text-features", world / "t.gz")
    assert ran.values == score("--scores", world / "S.npy").values, ran.err


@pytest.mark.parametrize(
    "features",
    [np.ones(3), np.ones((3, 0)), np.ones((3, 1, 4)), ROWS > 0, ROWS * 1j, ROWS.astype("U4")],
)
def test_features_that_are_no_vectors_of_numbers_are_refused(score, world, features) -> None:
    (world / "i.npz").write_bytes(packed("npz", IMAGES, features))
    (world / "t.npz").write_bytes(packed("npz", TEXTS, COLUMNS))
    ran = score("--image-features", world / "i.npz", "--text-features", world / "t.npz")
    assert (ran.code, ran.out) == (3, "")
    assert f"i.npz: shape {list(features.shape)} of {features.dtype}, a row of numbers" in ran.err
