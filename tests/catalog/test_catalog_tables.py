"""The small tables: contractions, COCO classes, metric keys."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from vle_bench.catalog.contractions import contractions, read_pairs
from vle_bench.catalog.files import user_file
from vle_bench.catalog.labels import coco_classes, read_classes
from vle_bench.catalog.metrics import metrics, read_metrics
from vle_bench.errors import DataProblem


def written(folder: Path, text: str, name: str = "t.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_contraction_table_keeps_the_official_defects() -> None:
    table = contractions()
    assert len(table) == 120
    assert [word for word in table if word != word.lower()] == ["I'dve", "Id've", "Im", "Ive"]
    assert table["somebody'd"] == "somebodyd"
    assert table["let's"] == "let's"
    assert "shes" not in table


def test_nobody_can_grow_the_contraction_table() -> None:
    with pytest.raises(TypeError):
        contractions()["its"] = "it's"  # type: ignore[index]  # the point of the test


def test_the_contractions_equal_the_reference_table(reference: Path) -> None:
    with (reference / "spec" / "vqa_contractions.tsv").open(newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    assert list(contractions().items()) == [tuple(row) for row in rows]


def test_wrong_lines_of_a_word_table_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, "word\nim\ti'm\nive\nim\tI'm\n\tx\n", "w.tsv")
    with pytest.raises(DataProblem) as caught:
        read_pairs(user_file(path))
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        "w.tsv:1: expected the header word<TAB>replacement.",
        "w.tsv:3: expected word<TAB>replacement, found ['ive'].",
        "w.tsv:4: im stands on line 2 already.",
        "w.tsv:5: expected word<TAB>replacement, found ['', 'x'].",
        "Correct the table and run again.",
    ]


def test_coco_has_eighty_classes_with_ten_gaps_in_the_ids() -> None:
    table = coco_classes()
    assert [entry.index for entry in table.classes] == list(range(80))
    assert sorted(set(range(1, 91)) - set(table.by_id)) == [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]
    assert (table.classes[0].name, table.classes[0].id) == ("person", 1)
    assert (table.classes[79].name, table.classes[79].id) == ("toothbrush", 90)


def test_a_class_is_found_with_and_without_its_spaces() -> None:
    table = coco_classes()
    assert table.by_name("diningtable") is table.by_name("Dining Table") is table.by_id[67]
    assert table.by_name("unicorn") is None


def test_the_classes_equal_the_real_annotation_file(reference: Path) -> None:
    folder = reference / "data" / "enginbozaba+tiny_coco" / "annotations"
    real = json.loads((folder / "instances_train2017.json").read_text())["categories"]
    ours = [
        {"id": entry.id, "name": entry.name, "supercategory": entry.supercategory}
        for entry in coco_classes().classes
    ]
    assert ours == sorted(real, key=lambda entry: entry["id"])


def test_every_vcr_object_name_is_a_coco_class(reference: Path) -> None:
    path = reference / "data" / "rowanz+r2c" / "cocoontology.json"
    names = [entry["name"] for entry in json.loads(path.read_text()).values()]
    assert len(names) == 80
    assert None not in [coco_classes().by_name(name) for name in names]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([(1, 1, "a")], "the indexes do not count up from 0"),
        ([(0, 2, "a"), (1, 1, "b")], "the ids do not rise"),
        ([(0, 1, "hot dog"), (1, 2, "hotdog")], "a name stands twice"),
    ],
)
def test_a_class_file_that_contradicts_itself_is_refused(
    tmp_path: Path, entries: list[tuple[int, int, str]], said: str
) -> None:
    rows = "".join(
        f'[[classes]]\nindex = {index}\nid = {number}\nname = "{name}"\nsupercategory = "s"\n'
        for index, number, name in entries
    )
    with pytest.raises(DataProblem, match=said):
        read_classes(user_file(written(tmp_path, f'source = "x"\n{rows}')))


def test_only_metrics_with_parts_have_parts() -> None:
    table = metrics()
    found = table.find("accuracy[question_type=how many]")
    assert found is not None
    assert found.key == "accuracy"
    assert table.find("rsum[yes/no]") is None
    assert table.find("accuracy[]") is None
    assert table.find("bleu") is None


def test_the_metric_table_says_what_is_bounded_and_what_is_better() -> None:
    table = metrics().by_key
    assert {table[key].highest for key in ("accuracy", "q2a", "i2t_r1")} == {100}
    assert table["rsum"].highest == 600
    assert [key for key in table if table[key].better == "lower"] == [
        key for key in table if table[key].unit == "count"
    ]


@pytest.mark.parametrize(
    ("rising", "keys", "said"),
    [
        ("", ("a", "a"), "the metric a stands twice"),
        ('["a", "b"]', ("a",), "rising names b, which is no metric here"),
    ],
)
def test_a_metric_table_that_contradicts_itself_is_refused(
    tmp_path: Path, rising: str, keys: tuple[str, ...], said: str
) -> None:
    rows = "".join(f'[[metrics]]\nkey = "{key}"\ntitle = "T"\nunit = "percent"\n' for key in keys)
    with pytest.raises(DataProblem, match=said):
        read_metrics(user_file(written(tmp_path, f"rising = [{rising}]\n{rows}")))
