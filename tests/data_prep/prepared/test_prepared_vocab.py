"""`vle-prep vocab`: classes counted from prepared shards."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vle_bench.labels.vocabulary import coco_vocabulary, read_vocabulary


@pytest.fixture
def shelf(make, tmp_path: Path) -> Path:
    """Two datasets: free names in train, restval and test of one, COCO's in train of the other."""
    photo = make.photo(64, 48)
    place = (0.0, 0.0, 9.0, 9.0)

    def one(number: int, split: str, dataset: str, *names: str, **more: str):
        boxes = tuple(make.box(place, name, **more) for name in names)
        return make.sample(number, photo, split=split, dataset=dataset, boxes=boxes)

    free = [
        one(1, "train", "free", "Man", "tall man.", "t-shirt", "sofa"),
        one(2, "train", "free", "crowd of men", kind="crowd"),
        one(3, "train", "free"),
        one(4, "restval", "free", "tshirt", "man", "settee", ""),
        one(5, "test", "free", "okapi", "okapi", "okapi", "okapi"),
    ]
    make.pack(tmp_path / "shards" / "free", free)
    coco = [one(6, "train", "coco", "couch", "dog"), one(7, "train", "coco", "dog")]
    make.pack(tmp_path / "shards" / "coco", coco)
    bare = [one(8, "test", "bare", "okapi")]
    make.pack(tmp_path / "shards" / "bare", bare)
    return tmp_path / "shards"


def lines(path: Path) -> list[str]:
    return path.read_text().split("\n")


def test_the_training_splits_are_counted_and_nothing_else(prep, shelf, tmp_path, capsys) -> None:
    out = tmp_path / "deep" / "vocab.txt"
    assert prep("vocab", shelf / "free", "--out", out, "--json") == 0
    assert lines(out) == ["man", "t-shirt,tshirt", "settee", "sofa"]
    document = json.loads(capsys.readouterr().out)
    assert document["boxes"] == {
        "read": 8,
        "with_class": 7,
        "without_class": 0,
        "without_name": 1,
    }
    assert [part["split"] for part in document["splits"]] == ["train", "restval"]
    assert document["classes"][0] == {"label": 0, "names": ["man"], "boxes": 3}
    assert document["sample"] is False


def test_several_datasets_count_together_and_each_once(prep, shelf, tmp_path, capsys) -> None:
    out = tmp_path / "vocab.txt"
    assert prep("vocab", shelf, shelf / "coco", "--out", out, "--json") == 0
    assert lines(out)[:2] == ["man", "dog"]
    assert json.loads(capsys.readouterr().out)["boxes"]["read"] == 11


def test_other_splits_are_counted_where_they_are_named(prep, shelf, tmp_path) -> None:
    out = tmp_path / "vocab.txt"
    assert prep("vocab", shelf, "--split", "test", "--out", out) == 0
    assert lines(out) == ["okapi"]


def test_classes_and_boxes_may_be_bounded(prep, shelf, tmp_path) -> None:
    out = tmp_path / "vocab.txt"
    assert prep("vocab", shelf, "--classes", 1, "--out", out) == 0
    assert lines(out) == ["man"]
    assert prep("vocab", shelf, "--at-least", 2, "--out", out) == 0
    assert lines(out) == ["man", "dog", "t-shirt,tshirt"]


def test_a_bound_that_no_class_meets_leaves_no_vocabulary(prep, shelf, tmp_path, capsys) -> None:
    out = tmp_path / "vocab.txt"
    assert prep("vocab", shelf, "--at-least", 1000, "--out", out) == 3
    assert "No class has 1,000 object boxes, the most frequent name has" in capsys.readouterr().err
    assert not out.exists()
    assert prep("vocab", shelf, "--at-least", 1000, "--with-coco", "--out", out) == 0
    assert len(lines(out)) == 80


def test_cocos_classes_may_stand_first_in_one_label_space(prep, shelf, tmp_path, capsys) -> None:
    aliases = tmp_path / "object_alias.txt"
    aliases.write_text("sofa,settee,davenport\n")
    out = tmp_path / "vocab.txt"
    options = ("--with-coco", "--synonyms", aliases, "--out", out, "--json")
    assert prep("vocab", shelf, *options) == 0
    found = read_vocabulary(out)
    assert len(found) == 82
    assert [found.name(label) for label in range(80)] == [names[0] for names in
                                                         coco_vocabulary().classes]  # fmt: skip
    assert found.classes[57] == ("couch", "sofa", "settee")
    assert [found.name(label) for label in (80, 81)] == ["man", "t-shirt"]
    classes = json.loads(capsys.readouterr().out)["classes"]
    assert [classes[label]["boxes"] for label in (57, 16, 0)] == [3, 2, 0]


def test_a_given_vocabulary_keeps_its_labels_and_only_its_boxes_are_counted(
    prep, shelf, tmp_path, capsys
) -> None:
    given, out = tmp_path / "objects_vocab.txt", tmp_path / "vocab.txt"
    given.write_bytes(b"okapi\nt shirt,tee shirt\nsofa,couch")  # no newline at the end, as theirs
    command = ("vocab", shelf / "free", "--vocabulary", given, "--out", out, "--json")
    assert prep(*command) == 0
    assert lines(out) == ["okapi", "t shirt,tee shirt", "sofa,couch"]
    document = json.loads(capsys.readouterr().out)
    assert [one["boxes"] for one in document["classes"]] == [0, 2, 1]
    assert document["boxes"]["without_class"] == 4
    assert prep(*command, "--with-coco") == 0
    classes = json.loads(capsys.readouterr().out)["classes"]
    assert len(classes) == 82
    assert classes[57] == {"label": 57, "names": ["couch", "sofa"], "boxes": 1}
    assert [one["names"][0] for one in classes[80:]] == ["okapi", "t shirt"]


def test_the_same_data_is_the_same_file_and_a_second_run_leaves_it_alone(
    prep, shelf, tmp_path
) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    assert prep("vocab", shelf / "free", shelf / "coco", "--out", one) == 0
    assert prep("vocab", shelf / "coco", shelf / "free", "--out", other) == 0
    assert one.read_bytes() == other.read_bytes()
    before = one.stat().st_mtime_ns
    assert prep("vocab", shelf, "--out", one) == 0
    assert one.stat().st_mtime_ns == before


def test_the_file_ends_without_a_newline_as_the_known_ones_do(prep, shelf, tmp_path) -> None:
    out = tmp_path / "vocab.txt"
    assert prep("vocab", shelf, "--out", out) == 0
    assert not out.read_bytes().endswith(b"\n")


def test_the_sample_world_is_called_so(prep, make, tmp_path, capsys) -> None:
    boxes = (make.box((0, 0, 1, 1), "dog"),)
    record = make.sample(1, make.photo(8, 8), split="train", boxes=boxes)
    make.pack(tmp_path / "toy", [record], drawn=True)
    assert prep("vocab", tmp_path / "toy", "--out", tmp_path / "v.txt") == 0
    shown = capsys.readouterr()
    assert "1 object box (sample world), 1 name;" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bare"], "has no split train or restval"),
        (["free", "--split", "val"], "has no split val"),
        (["nowhere"], "no prepared dataset"),
        (["free", "--synonyms", "none.txt"], "a file of synonyms expected, found nothing there"),
    ],
)
def test_data_that_is_not_there_exits_with_three(
    prep, shelf, tmp_path, capsys, arguments, message
) -> None:
    folder, *options = arguments
    out = tmp_path / "vocab.txt"
    assert prep("vocab", shelf / folder, *options, "--out", out) == 3
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_boxes_without_any_name_are_no_vocabulary(prep, make, tmp_path, capsys) -> None:
    boxes = (make.box((0, 0, 1, 1)), make.box((0, 0, 1, 1), phrase="a dog", kind="region"))
    record = make.sample(1, make.photo(8, 8), split="train", boxes=boxes)
    make.pack(tmp_path / "toy", [record])
    assert prep("vocab", tmp_path / "toy", "--out", tmp_path / "v.txt") == 3
    assert "1 object box in toy/train, none with a name" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--out", "v.txt"], [".", "--out", "v.txt", "--classes", 0]])
def test_wrong_usage_exits_with_two(prep, arguments) -> None:
    assert prep("vocab", *arguments) == 2


@pytest.mark.parametrize(
    ("option", "value"), [("--classes", "1600"), ("--at-least", "2"), ("--synonyms", "s.txt")]
)
def test_given_classes_are_not_chosen_from_the_data_as_well(
    prep, shelf, tmp_path, capsys, option, value
) -> None:
    given = tmp_path / "objects_vocab.txt"
    given.write_text("okapi")
    command = ("vocab", shelf, "--vocabulary", given, "--out", tmp_path / "v.txt")
    assert prep(*command, option, value) == 2
    assert f"--vocabulary gives the classes, {option} would choose" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from vle_bench.console import exit_code\n"
        "from vle_bench.data_prep.cli import group\n"
        "assert exit_code(group, 'vle-prep', ['vocab', '--help']) == 0\n"
        "heavy = {'numpy', 'pyarrow', 'msgspec', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
