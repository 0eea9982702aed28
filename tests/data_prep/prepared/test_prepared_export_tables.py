"""METER's and img2dataset's files, read back with what their users read them with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vle_bench.data_prep.export import arrow, arrow_rows
from vle_bench.shards.report import read_report


def table(path: Path) -> pa.Table:
    """As METER's base dataset opens it."""
    return pa.ipc.RecordBatchFileReader(pa.memory_map(str(path), "r")).read_all()


@pytest.fixture
def export(prep, tmp_path: Path):
    def call(folder: Path, name: str = "arrow", *more: object) -> Path:
        assert prep("export", folder, "--format", name, "--out", tmp_path / "out", *more) == 0
        return tmp_path / "out"

    return call


def without_a_row(out: Path) -> dict[str, int]:
    return json.loads((out / "vle-export.json").read_text())["holds"]["without_a_row"]


def karpathy(make, folder: Path) -> Path:
    samples = [
        make.sample(
            n,
            make.photo(8 + n, 8),
            dataset="coco",
            split=split,
            captions=("One.", "一只狗") if n != 3 else (),
            image={"file_name": f"val2014/COCO_val2014_{n:012d}.jpg"},
        )
        for n, split in ((1, "train"), (2, "restval"), (3, "restval"), (4, "test"))
    ]
    return make.pack(folder, samples)


def test_coco_has_one_table_a_split_with_all_captions_in_a_row(make, export, tmp_path: Path):
    out = export(karpathy(make, tmp_path / "coco"))
    assert {path.stem for path in out.glob("*.arrow")} == {
        f"coco_caption_karpathy_{split}" for split in ("train", "restval", "test")
    }
    restval = table(out / "coco_caption_karpathy_restval.arrow")
    assert restval.column_names == ["image", "caption", "image_id", "split"]
    assert restval.to_pylist() == [
        {
            "image": make.photo(10, 8),
            "caption": ["One.", "一只狗"],
            "image_id": "COCO_val2014_000000000002.jpg",
            "split": "restval",
        }
    ]
    assert without_a_row(out) == {"picture without a caption": 1}


def test_regions_of_visual_genome_lie_in_parallel_lists(make, export, tmp_path: Path):
    boxes = (
        make.box((1, 2, 3, 4), phrase="a leg", kind="region"),
        make.box((0, 0, 9, 9), "dog"),
        make.box((5, 6, 7, 8), phrase="the sky", kind="region"),
        make.box((3, 3, 3, 3), kind="region"),  # nothing is said of it
    )
    samples = [
        make.sample(n, make.photo(9, 9), dataset="vg", split="train", boxes=boxes[:n])
        for n in (4, 0)
    ]
    out = export(make.pack(tmp_path / "vg", samples))
    assert without_a_row(out) == {"picture without a region": 1}
    rows = table(out / "vg.arrow").to_pylist()
    assert rows == [
        {
            "image": make.photo(9, 9),
            "caption": ["a leg", "the sky"],
            "width": [3, 7],
            "height": [4, 8],
            "x": [1, 5],
            "y": [2, 6],
            "image_id": "4",
        }
    ]


@pytest.fixture
def vqa(prep, small, out: Path) -> Path:
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out) == 0
    return out / "vqav2"


def test_vqa_rows_hold_only_questions_with_a_class(export, vqa: Path):
    out = export(vqa)
    train = table(out / "vqav2_train.arrow").to_pylist()
    known = json.loads((vqa / "answers/label2answer.json").read_text())
    assert len(train) == 7
    for row in train:
        assert len(row["questions"]) == len(row["question_id"]) == len(row["answer_labels"])
        assert all(row["answer_labels"])
        assert row["answers"] == [[known[at] for at in labels] for labels in row["answer_labels"]]
        assert row["split"] == "train"
    assert train[0]["image_id"] == 11
    assert without_a_row(out) == {}  # here every question has one


def test_questions_and_pictures_without_a_class_are_counted_once(prep, export, small, tmp_path):
    command = ("run", "vqav2", "--raw", small.write(), "--out", tmp_path / "few")
    assert prep(*command, "--min-answer-count", 99) == 0
    counts = read_report(tmp_path / "few/vqav2").splits
    out = export(tmp_path / "few/vqav2")
    asked = sum(counts[split].counts["question"].written for split in ("train", "val"))
    assert without_a_row(out) == {
        "question without a class": asked,
        "picture without a question (train)": 7,
        "picture without a question (val)": 5,
    }


def test_the_two_parts_of_val_are_all_of_val(export, vqa: Path):
    (vqa / "splits/rest_val.txt").write_text("22\n24\n", encoding="utf-8")
    out = export(vqa, "arrow", "--split", "val")

    def ids(name: str) -> list[int]:
        return table(out / f"vqav2_{name}.arrow")["image_id"].to_pylist()

    assert (ids("rest_val"), ids("trainable_val")) == ([22, 24], [21, 23, 25])
    assert ids("val") == [21, 22, 23, 24, 25]


def test_test_has_all_questions_and_no_answers_and_test_dev_its_own(export, vqa: Path):
    out = export(vqa, "arrow", "--split", "test")
    rows = table(out / "vqav2_test.arrow").to_pylist()
    assert [len(row["questions"]) for row in rows] == [3, 3]
    assert all(row["answers"] == row["answer_labels"] == [] for row in rows)
    (dev,) = table(out / "vqav2_test-dev.arrow").to_pylist()
    assert (dev["questions"], dev["split"]) == (["Is 1 there?"], "test-dev")


def test_web_pictures_are_numbered_tables(make, export, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(arrow_rows, "ROWS_PER_TABLE", 2)
    samples = [
        make.sample(n, make.photo(8, 8), dataset="sbu", split="train", captions=(str(n),))
        for n in range(5)
    ]
    out = export(make.pack(tmp_path / "sbu", samples))
    rows = [table(out / f"sbu_{n}.arrow")["caption"].to_pylist() for n in range(3)]
    assert rows == [[["0"], ["1"]], [["2"], ["3"]], [["4"]]]


def test_several_datasets_lie_in_one_folder_of_tables(make, export, tmp_path: Path):
    karpathy(make, tmp_path / "all/coco")
    sample = make.sample(1, make.photo(8, 8), dataset="cc3m", captions=("x",))
    make.pack(tmp_path / "all/cc3m", [sample])
    names = {path.stem for path in export(tmp_path / "all").glob("*.arrow")}
    assert {"conceptual_caption_val_0", "coco_caption_karpathy_train"} <= names


def test_batches_do_not_change_what_is_read(make, export, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(arrow, "_BATCH_ROWS", 2)
    samples = [
        make.sample(n, make.photo(8, 8), dataset="flickr30k", captions=(str(n),)) for n in range(5)
    ]
    found = table(export(make.pack(tmp_path / "f", samples)) / "f30k_caption_karpathy_val.arrow")
    assert found["caption"].num_chunks == 3
    assert found["caption"].to_pylist() == [[str(n)] for n in range(5)]


def test_other_splittings_and_unknown_datasets_are_refused(prep, make, tmp_path: Path, capsys):
    toy = make.pack(tmp_path / "toy", [make.sample(1, make.photo(8, 8))])
    assert prep("export", toy, "--format", "arrow", "--out", tmp_path / "out") == 2
    assert "read no table of it, only of cc3m, coco" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    photo = make.sample(2, make.photo(8, 8), dataset="flickr30k", captions=("One.",))
    flickr = make.pack(tmp_path / "flickr30k", [photo])
    for folder, scheme in ((karpathy(make, tmp_path / "coco"), "2017"), (flickr, "entities")):
        report = folder / "report.json"
        named = f'"parameters": {{"scheme": "{scheme}"}}'
        report.write_text(report.read_text().replace('"parameters": {}', named))
        assert prep("export", folder, "--format", "arrow", "--out", tmp_path / "out") == 2
        assert f"split by {scheme}. Prepare it with --scheme karpathy" in capsys.readouterr().err


RUN = """
import resource, sys
from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group
arguments = ["export", sys.argv[1], "--format", "arrow", "--out", sys.argv[2]]
code = exit_code(group, "vle-prep", arguments)
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_pictures(make, tmp_path: Path):
    peaks = []
    for number in (30, 150):
        data = bytes(400_000)
        samples = [
            make.sample(n, data, dataset="sbu", split="train", captions=("x",))
            for n in range(number)
        ]
        folder = make.pack(tmp_path / f"sbu{number}", samples, per_shard=100)
        done = subprocess.run(
            [sys.executable, "-c", RUN, folder, tmp_path / f"out{number}"],
            capture_output=True,
            text=True,
        )
        code, peak = done.stdout.split()
        assert code == "0", done.stderr
        peaks.append(int(peak))
    # 60 MB of pictures against 12 MB.
    assert peaks[1] - peaks[0] < 24


def test_img2dataset_samples_are_read_by_webdataset(make, export, street: Path):
    import webdataset

    out = export(street, "img2dataset")
    tar = str(out / "val/00000.tar")
    samples = list(webdataset.WebDataset(tar, shardshuffle=False))
    assert [one["__key__"] for one in samples] == ["000000000", "000000001", "000000002"]
    assert samples[1]["jpg"] == make.photo(48, 64, mode="CMYK")
    assert samples[0]["txt"].decode() == "A red bus."
    record = json.loads(samples[0]["json"])
    assert (record["vle_key"], record["status"]) == ("toy-0001", "success")
    assert record["captions"][1].startswith("</script>")
    (lonely,) = webdataset.WebDataset(str(out / "test/00000.tar"), shardshuffle=False)
    assert "png" in lonely
    assert "txt" not in lonely


def test_the_parquet_beside_a_tar_has_a_row_for_each_sample(export, street: Path):
    out = export(street, "img2dataset")
    rows = pq.read_table(out / "val/00000.parquet").to_pylist()
    assert [row["key"] for row in rows] == ["000000000", "000000001", "000000002"]
    assert [row["caption"] for row in rows] == ["A red bus.", "一只狗在雪地里", "Lost."]
    assert (rows[1]["width"], rows[1]["height"], rows[1]["error_message"]) == (48, 64, None)
    stats = json.loads((out / "val/00000_stats.json").read_text())
    assert (stats["count"], stats["successes"], stats["status_dict"]) == (3, 3, {"success": 3})


def test_tars_are_cut_and_their_samples_numbered_from_zero(make, tmp_path: Path):
    from vle_bench.data_prep.export.img2dataset import export_img2dataset
    from vle_bench.data_prep.prepared import prepared_datasets

    samples = [make.sample(n, make.photo(8, 8)) for n in range(5)]
    datasets = prepared_datasets(make.pack(tmp_path / "toy", samples))
    out = tmp_path / "out"
    found = export_img2dataset(datasets, out, lambda: None, samples_per_tar=2)
    assert found == {"val": {"samples": 5, "texts": 0, "tars": 3}}
    keys = [
        row["key"]
        for path in sorted(out.rglob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    assert keys == ["000000000", "000000001", "000010000", "000010001", "000020000"]
