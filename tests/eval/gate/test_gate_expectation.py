"""Every part of an expectation closes the gate alone: not the values of metrics only."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from vle_bench.eval.gate.difference import Difference, difference_table, metric_difference

GOLDEN = Path(__file__).resolve().parents[3] / "manifests" / "golden"


@pytest.mark.parametrize("part", ["n", "low", "high", "metric", "item", "protocol", "notes"])
def test_each_part_of_an_expectation_closes_the_gate(vle_eval, tmp_path, part):
    shutil.copytree(GOLDEN / "vcr_kinds", tmp_path / "case")
    path = tmp_path / "case" / "expected.json"
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    match part:
        case "n":
            stored["metrics"]["q2a"]["n"] += 1
        case "low" | "high":
            assert stored["metrics"]["q2a"][part] is not None
            stored["metrics"]["q2a"][part] += 2e-9
        case "metric":
            del stored["metrics"]["q2a"]
        case "item":
            del stored["items"][next(iter(stored["items"]))]
        case "protocol":
            stored["protocol"] = "other"
        case "notes":
            stored["notes"] = [*stored["notes"], "more"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    assert vle_eval("check", tmp_path / "case").code == 1


@pytest.mark.parametrize("part", ["items", "protocol", "notes"])
def test_what_an_expectation_does_not_hold_is_not_asked(vle_eval, tmp_path, part):
    shutil.copytree(GOLDEN / "vcr_kinds", tmp_path / "case")
    path = tmp_path / "case" / "expected.json"
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    del stored[part]
    path.write_text(json.dumps(stored), encoding="utf-8")
    ran = vle_eval("check", tmp_path / "case")
    assert ran.code == 0, ran.err


def test_the_tolerance_belongs_to_what_is_equal_and_nan_equals_nothing():
    for before, after, equal in (
        (0.0, 1e-9, True), (1e-9, 0.0, True), (0.0, 1.1e-9, False), (0.0, math.nan, False),
        (math.nan, math.nan, False), (None, None, True), (None, 0.0, False), (0.0, None, False),
    ):  # fmt: skip
        row = metric_difference("case", "q2a", (before, after))
        assert (row is None) is equal, (before, after)


def test_a_table_that_is_whole_counts_no_more_rows():
    rows = [Difference("case", f"m{at}", "1", "2") for at in range(41)]
    assert "more" not in difference_table(rows[:40])
    assert "... and 1 more." in difference_table(rows)


@pytest.mark.parametrize("case", ["vcr_kinds", "tables"])
def test_a_stamp_of_other_days_stays_where_nothing_moved(vle_eval, tmp_path, case):
    shutil.copytree(GOLDEN / case, tmp_path / "case")
    path = tmp_path / "case" / "stamp.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["code"] = dict.fromkeys(stored["code"], "0" * 64)
    path.write_text(json.dumps(stored), encoding="utf-8")
    before = path.read_bytes()
    assert vle_eval("check", tmp_path / "case").code == 0
    assert path.read_bytes() == before
    assert vle_eval("check", tmp_path / "case", "--restamp").code == 0
    assert path.read_bytes() != before
