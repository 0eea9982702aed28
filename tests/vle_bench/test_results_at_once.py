"""The three files of a result belong to one run, whoever else stores and whatever is killed."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
from test_results import document

from vle_bench.results import Metric, read_document, store_result

KILLED_AT_THE_SECOND_RENAME = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_results_at_once import store

rename, done = Path.replace, []

def rename_once(aside, path):
    if done:
        os._exit(9)
    done.append(path)
    return rename(aside, path)

Path.replace = rename_once
store(Path(sys.argv[1]), 2)
"""


def store(folder, run: int) -> bool:
    items = {"id": ["1"], "image_id": ["7"], "score": [float(run)]}
    metrics = {"accuracy": Metric(value=float(run), n=1)}
    return store_result(
        folder, document(metrics=metrics), items=items, predictions=b"%d\n" % run * (1 + run)
    )


def found(folder) -> list[float]:
    return [
        read_document(folder / "result.json").metrics["accuracy"].value,
        pq.read_table(folder / "items.parquet").column("score")[0].as_py(),
        float((folder / "predictions.jsonl").read_text().splitlines()[0]),
    ]


def test_runs_that_store_one_model_at_once_do_not_mix_their_files(tmp_path):
    leaf = tmp_path / "leaf"
    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            list(pool.map(lambda run: store(leaf, run), range(8)))
            assert len(set(found(leaf))) == 1
    assert len(list(leaf.iterdir())) == 3


def test_a_run_killed_between_two_files_leaves_no_result_of_other_items(tmp_path):
    store(tmp_path, 1)
    run = [sys.executable, "-c", KILLED_AT_THE_SECOND_RENAME, tmp_path, Path(__file__).parent]
    assert subprocess.run(run, check=False).returncode == 9
    assert not (tmp_path / "result.json").exists()
    assert store(tmp_path, 2)
    assert found(tmp_path) == [2.0, 2.0, 2.0]
    assert len(list(tmp_path.iterdir())) == 3
