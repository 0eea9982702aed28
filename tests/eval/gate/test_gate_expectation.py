"""Every part of an expectation closes the gate alone: not the values of metrics only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).resolve().parents[3] / "manifests" / "golden"


@pytest.mark.parametrize("part", ["n", "metric", "item", "protocol", "notes"])
def test_each_part_of_an_expectation_closes_the_gate(vle_eval, tmp_path, part):
    shutil.copytree(GOLDEN / "vcr_kinds", tmp_path / "case")
    path = tmp_path / "case" / "expected.json"
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    match part:
        case "n":
            stored["metrics"]["q2a"]["n"] += 1
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
