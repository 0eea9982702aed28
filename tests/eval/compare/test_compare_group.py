from pathlib import Path

import numpy as np
import pytest

from vle_bench.eval.compare import Drawing, contrast_with_best
from vle_bench.results import StoredResult, read_document

FEW = Drawing(resamples=400, seed=0)


@pytest.fixture
def table(store, references, tmp_path) -> list[StoredResult]:
    """Four runs: `middle`, `best`, `worst`, and `elsewhere` against other references."""
    other = tmp_path / "other.jsonl"
    other.write_text(references.read_text().replace('"img_id": "p0"', '"img_id": "q0"'))
    places = np.arange(60)
    folders = [
        store("middle", (places % 2 == 0).tolist()),
        store("best", (places % 3 != 0).tolist()),
        store("worst", (places % 4 == 0).tolist()),
        store("elsewhere", (places % 5 == 0).tolist(), against=other),
    ]
    return [StoredResult(Path(one), read_document(one / "result.json")) for one in folders]


def test_a_table_is_compared_with_its_best_run_in_one_correction(table):
    found = contrast_with_best(table, "q2a", FEW)
    assert found.best == "best"
    assert [one.second for one in found.contrasts] == ["middle", "worst"]
    assert all(one.first == "best" and one.difference < 0 for one in found.contrasts)
    assert [one.p_holm >= one.p for one in found.contrasts] == [True, True]
    assert max(one.p_holm for one in found.contrasts) > min(one.p for one in found.contrasts)


def test_a_run_of_other_references_is_left_out_by_name(table):
    (left,) = contrast_with_best(table, "q2a", FEW).left_out
    assert left.model == "elsewhere"
    assert left.why[0].startswith("references (sha256)")


def test_tables_without_the_metric_or_with_one_run_have_nothing_to_compare(table):
    assert contrast_with_best(table, "rsum", FEW) == ("", (), ())
    assert contrast_with_best(table[:1], "q2a", FEW) == ("middle", (), ())
