"""Maps of patches read a piece at a time, and in the precision of their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vle_bench.eval.grounding import patch_files

KEYS, QUERIES = ["vg-1", "vg-1", "vg-2", "vg-2"], ["11", "12", "21", "22"]
MAPS = np.random.default_rng(5).random((4, 16))


def as_npz(path: Path, maps: np.ndarray) -> Path:
    np.savez(path, key=np.array(KEYS), query_id=np.array(QUERIES), scores=maps)
    return path


def as_parquet(path: Path, maps: np.ndarray) -> Path:
    kind = pa.list_(pa.from_numpy_dtype(maps.dtype))
    columns = {"key": KEYS, "query_id": QUERIES, "scores": pa.array(maps.tolist(), kind)}
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_table_read_in_pieces_is_the_table(ground, tmp_path, monkeypatch, rows) -> None:
    whole = ground("--predictions", as_npz(tmp_path / "p.npz", MAPS), "--json").values
    monkeypatch.setattr(patch_files, "_BATCH", rows)
    table = as_parquet(tmp_path / "p.parquet", MAPS)
    assert ground("--predictions", table, "--json").values == whole
    broken = MAPS.copy()
    broken[3, 2] = np.nan
    ran = ground("--predictions", as_parquet(tmp_path / "b.parquet", broken))
    assert "row 4, patch 2: nan" in ran.err


def test_doubles_that_single_precision_makes_equal_stay_different(ground, tmp_path) -> None:
    """The best patch is one of two that differ in the tenth decimal."""
    maps = np.zeros((4, 16))
    maps[:, 5], maps[:, 10] = 0.5, 0.5 + 1e-10
    assert np.float32(maps[0, 5]) == np.float32(maps[0, 10])
    scores = [
        ground("--predictions", make(tmp_path / name, maps), "--json").document
        for make, name in ((as_npz, "p.npz"), (as_parquet, "p.parquet"))
    ]
    turned = maps[:, ::-1].copy()
    other = ground("--predictions", as_npz(tmp_path / "t.npz", turned), "--json").document
    assert scores[0]["metrics"] == scores[1]["metrics"] != other["metrics"]
    for one in scores:
        assert any(note.endswith("is pointed at: 0 of 4 queries.") for note in one["notes"])


def test_whole_numbers_that_floats_do_not_hold_are_refused(ground, tmp_path) -> None:
    maps = np.arange(64, dtype=np.int64).reshape(4, 16)
    assert ground("--predictions", as_npz(tmp_path / "p.npz", maps)).code == 0
    ran = ground("--predictions", as_npz(tmp_path / "p.npz", maps + 2**53))
    assert ran.code == 3
    assert "scores of int64 that 64-bit floats do not hold" in ran.err


def test_a_column_that_stands_twice_is_refused(ground, tmp_path) -> None:
    lists = pa.array(MAPS.tolist())
    names = ["key", "query_id", "scores", "scores"]
    table = pa.table([pa.array(KEYS), pa.array(QUERIES), lists, lists], names=names)
    pq.write_table(table, tmp_path / "p.parquet")
    ran = ground("--predictions", tmp_path / "p.parquet")
    assert ran.code == 3
    assert "a column name stands twice" in ran.err


def test_a_wrong_id_is_told_with_its_row(ground, tmp_path) -> None:
    columns = {"key": [*KEYS[:2], None, "vg-2"], "query_id": QUERIES, "scores": MAPS.tolist()}
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    ran = ground("--predictions", tmp_path / "p.parquet")
    assert ran.code == 3
    assert "p.parquet: row 3: None is no id" in ran.err
