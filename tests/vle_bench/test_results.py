import errno
import re

import msgspec
import pyarrow.parquet as pq
import pytest

from vle_bench.errors import DataProblem, MachineProblem, UsageProblem
from vle_bench.results import (
    Metric,
    References,
    ResultDocument,
    document_bytes,
    make_stamp,
    read_document,
    result_folder,
    signature_line,
    store_result,
    stored_results,
)
from vle_bench.results.document import without_time
from vle_bench.results.signature import interval_part
from vle_bench.results.store import folder_name

ITEMS = {"id": ["1", "2"], "image_id": ["7", "7"], "score": [1.0, 0.3]}


def document(**changes) -> ResultDocument:
    fields = {
        "task": "vqa",
        "dataset": "vqav2",
        "split": "val",
        "model": "HFL/VLE Base",
        "sample": False,
        "protocol": "official",
        "signature": signature_line("vqa", [("data", "vqav2")]),
        "metrics": {"accuracy": Metric(value=65.0, n=2)},
        "references": References(path="a.json", sha256="0" * 64),
        "stamp": make_stamp({"predictions": "1" * 64}),
    }
    return ResultDocument(**{**fields, **changes})


def test_a_document_survives_the_way_there_and_back(tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(document_bytes(document()))
    assert read_document(path) == document()


def test_another_schema_is_refused(tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(document_bytes(document(schema="vle-bench/result/0")))
    with pytest.raises(DataProblem, match="'vle-bench/result/0'"):
        read_document(path)


def test_the_moment_honours_reproducible_builds(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert make_stamp({}).created == "1970-01-02T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "253402300799")
    assert make_stamp({}).created == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize("named", ["", "tomorrow", "-5", "1e5", "²", "253402300800", "9" * 5000])
def test_a_moment_that_is_none_is_wrong_usage(monkeypatch, named):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", named)
    with pytest.raises(UsageProblem, match="SOURCE_DATE_EPOCH is"):
        make_stamp({})


def test_only_the_moment_is_left_out_of_comparisons(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    early = document()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert document_bytes(early) != document_bytes(document())
    assert without_time(early) == without_time(document())
    assert without_time(early) != without_time(document(model="other"))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("HFL/VLE Base", "hfl--vle-base"),
        (".hidden", "hidden"),
        ("../../etc", "etc"),
        ("ViT-L/14@336", "vit-l--14-336"),
    ],
)
def test_folder_names_cannot_leave_the_store(name, folder):
    assert folder_name(name) == folder


@pytest.mark.parametrize("name", ["...", "--", "/", "\n", "!"])
def test_a_name_without_letters_is_refused(name):
    with pytest.raises(DataProblem, match="leaves no letter"):
        folder_name(name)


def test_names_in_other_scripts_have_folders_of_their_own():
    folders = [folder_name(name) for name in ("模型", "模型二", "é")]
    assert len(set(folders)) == 3
    assert all(re.fullmatch(r"name-[0-9a-f]{8}", folder) for folder in folders)


def test_a_name_longer_than_a_folder_can_be_is_refused():
    assert len(folder_name("x" * 120)) == 120
    with pytest.raises(DataProblem, match="has 300 characters, a folder's name takes 120"):
        folder_name("x" * 300)


def test_the_store_holds_three_files_and_finds_them_again(tmp_path):
    leaf = result_folder(tmp_path, document())
    assert leaf == tmp_path / "vqa" / "vqav2" / "val" / "hfl--vle-base"
    assert store_result(leaf, document(), items=ITEMS, predictions=b'{"question_id":1}\n')
    assert sorted(p.name for p in leaf.iterdir()) == [
        "items.parquet",
        "predictions.jsonl",
        "result.json",
    ]
    assert pq.read_table(leaf / "items.parquet").to_pydict() == ITEMS
    (found,) = stored_results(tmp_path)
    assert found.document.model == "HFL/VLE Base"
    assert stored_results(tmp_path / "absent") == []


def test_a_store_that_may_not_be_read_is_not_an_empty_one(tmp_path, monkeypatch):
    store_result(result_folder(tmp_path, document()), document(), items=ITEMS, predictions=b"p")

    def refuse(folder):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    with pytest.raises(MachineProblem, match="Permission denied"):
        stored_results(tmp_path)


def test_an_equal_result_leaves_every_file_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    store_result(tmp_path, document(), items=ITEMS, predictions=b"p")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert not store_result(tmp_path, document(), items=ITEMS, predictions=b"p")
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert store_result(tmp_path, document(), items=ITEMS, predictions=b"q")


def test_another_model_may_not_take_the_folder(tmp_path):
    store_result(tmp_path, document(), items=ITEMS, predictions=b"p")
    with pytest.raises(DataProblem, match="holds a result of 'HFL/VLE Base'"):
        store_result(tmp_path, document(model="other"), items=ITEMS, predictions=b"p")


def test_signatures_cannot_be_forged_by_a_name():
    line = signature_line("vqa", [("data", "a|protocol:official")])
    assert line.count("|") == 2
    assert signature_line("vqa", [("data", "a\n# b\x1b")]).startswith("vqa|data:a_# b_|v:")
    assert interval_part("image", 0, 3) == ("ci", "none")
    assert interval_part("image", 100, 3) == ("ci", "image-100-s3")


def test_a_document_holds_exactly_the_keys_of_the_schema():
    keys = set(msgspec.to_builtins(document()))
    promised = {
        "schema", "task", "dataset", "split", "model", "sample", "protocol", "signature",
        "metrics", "published", "items", "references", "stamp",
    }  # fmt: skip
    assert promised <= keys
