"""`vle-prep stats`: counts that can be checked by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from vle_bench.data_prep.prepared import prepared_datasets
from vle_bench.data_prep.tally import Shape, histogram, tally, words


@pytest.fixture
def stats(prep, capsys):
    def call(*arguments: object) -> str:
        capsys.readouterr()
        assert prep("stats", *arguments) == 0
        return capsys.readouterr().out

    return call


def test_splits_are_counted_kind_by_kind(street: Path):
    found = tally(prepared_datasets(street)[0])
    val, test = found.splits
    assert (val.pictures, val.captions, val.questions) == (3, 4, 1)
    assert (val.objects, val.regions, val.crowds) == (2, 1, 1)
    assert (test.pictures, test.captions) == (1, 0)
    assert [(one.name, one.count, one.pictures) for one in found.labels] == [
        ("bus", 1, 1),
        ("dog", 1, 1),
        ("person", 1, 1),
    ]
    assert [one.name for one in found.question_types] == ["is there"]
    assert [one.name for one in found.answer_types] == ["yes/no"]


def test_labels_are_ranked_by_count_then_name(make, tmp_path: Path):
    data = make.photo(8, 8)
    boxes = tuple(make.box((0, 0, 1, 1), label) for label in ("b", "a", "c", "c"))
    folder = make.pack(tmp_path / "toy", [make.sample(n, data, boxes=boxes) for n in range(2)])
    labels = tally(prepared_datasets(folder)[0]).labels
    assert [(one.name, one.count, one.pictures) for one in labels] == [
        ("c", 4, 2),
        ("a", 2, 2),
        ("b", 2, 2),
    ]


def test_box_sizes_are_roots_of_areas_and_shares_of_pictures(make, tmp_path: Path):
    boxes = (make.box((0, 0, 9, 4)), make.box((0, 0, 64, 48)), make.box((1, 1, 0, 5)))
    folder = make.pack(tmp_path / "t", [make.sample(1, make.photo(64, 48), boxes=boxes)])
    found = {one.name: one for one in tally(prepared_datasets(folder)[0]).histograms}
    side, area = found["side of a box"], found["area of a box"]
    assert (side.n, side.least, side.median, side.most) == (3, 0.0, 6.0, 55.0)
    assert (area.least, area.median, area.most) == (0.0, 1.17, 100.0)


def test_every_value_lies_in_one_bin_and_empty_ends_are_left_out():
    shape = Shape(name="x", unit="", edges=(0, 10, 20, 30, 40))
    made = histogram(shape, Counter({10: 2, 19: 1, 30: 4}))
    assert [(one.low, one.high, one.count) for one in made.bins] == [
        (10.0, 20.0, 3),
        (20.0, 30.0, 0),
        (30.0, 40.0, 4),
    ]
    assert (made.n, made.median) == (7, 30.0)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("a b  c", 3), ("两只狗", 3), ("一个 iPhone 手机。", 5), ("日本のネコ", 5)],
)
def test_words_of_scripts_without_blanks_are_their_characters(text: str, count: int):
    assert words(text) == count


def test_the_table_names_the_sample_world_and_all_splits(stats, street: Path):
    text = stats(street)
    assert text.startswith("toy (sample world)\n")
    assert [line.split() for line in text.splitlines()[4:7]] == [
        ["val", "3", "4", "2", "1", "1", "1"],
        ["test", "1", "0", "0", "0", "0", "0"],
        ["all", "4", "4", "2", "1", "1", "1"],
    ]
    assert "length of a phrase: median 3" in text


def test_licences_are_counted_by_picture_and_absent_ones_too(stats, street: Path):
    found = tally(prepared_datasets(street)[0])
    assert [(one.name, one.count) for one in found.licences] == [("", 3), ("CC BY 2.0", 1)]
    lines = [line.split() for line in stats(street).splitlines()]
    assert ["(none)", "3", "3", "█" * 32] in lines
    assert ["CC", "BY", "2.0", "1", "1", "██████████▋"] in lines


def test_the_books_stand_beside_the_counts(prep, small, stats, out: Path):
    small.picture("val", 23, b"<html>")
    twice = small.captions["train"][0] | {"id": 999_999}
    small.captions["train"].append(twice)
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out) == 0
    found = tally(prepared_datasets(out)[0])
    assert [(one.what, one.count) for one in found.left_out if one.what == "image"] == [
        ("image", 1)
    ]
    assert ("caption repeated within its picture", 1) in [
        (one.why, one.count) for one in found.adjusted
    ]
    text = stats(out, "--split", "train")
    assert "caption repeated within its picture" in text
    assert "left out\n" not in text


def test_what_nothing_has_is_not_drawn(make, stats, tmp_path: Path):
    folder = make.pack(tmp_path / "t", [make.sample(1, make.photo(8, 8))])
    text = stats(folder, "--svg", tmp_path / "s.svg")
    assert "longer side of a picture" in text
    assert "captions of a picture" not in text + (tmp_path / "s.svg").read_text(encoding="utf-8")


def test_panels_of_the_picture_do_not_lie_upon_each_other(stats, street: Path, tmp_path: Path):
    stats(street, "--svg", tmp_path / "s.svg")
    root = ET.fromstring((tmp_path / "s.svg").read_text(encoding="utf-8"))
    width, height = (float(root.get(side)) for side in ("width", "height"))
    bars = [
        tuple(float(node.get(side)) for side in ("x", "y", "width", "height"))
        for node in root.iter("{http://www.w3.org/2000/svg}rect")
    ]
    assert len(bars) > 15
    assert len({(x // 408, y) for x, y, _, _ in bars}) == len(bars)
    assert all(x >= 0 and x + wide <= width and y + high <= height for x, y, wide, high in bars)


def test_json_is_one_document_and_the_same_again(stats, street: Path):
    text = stats(street, "--json", "--split", "val")
    document = json.loads(text)
    assert document["schema"] == "vle-bench/statistics/1"
    assert [split["split"] for split in document["datasets"][0]["splits"]] == ["val"]
    assert stats(street, "--json", "--split", "val") == text


def test_names_from_strangers_steer_no_terminal_and_no_picture(make, stats, tmp_path: Path):
    boxes = (make.box((0, 0, 2, 2), "\x1b[31m<script>&"),)
    folder = make.pack(tmp_path / "t", [make.sample(1, make.photo(8, 8), boxes=boxes)])
    assert "\x1b" not in stats(folder, "--svg", tmp_path / "s.svg")
    root = ET.fromstring((tmp_path / "s.svg").read_text(encoding="utf-8"))
    assert any((node.text or "").startswith("?[31m<script>") for node in root.iter())
    assert {node.tag.partition("}")[2] for node in root.iter()} == {"svg", "style", "rect", "text"}


def test_bars_are_as_long_as_their_counts(make, stats, tmp_path: Path):
    boxes = tuple(make.box((0, 0, 2, 2), "dog" if at else "cat") for at in range(5))
    folder = make.pack(tmp_path / "t", [make.sample(1, make.photo(8, 8), boxes=boxes)])
    lines = {line[:3]: line for line in stats(folder).splitlines()}
    assert lines["dog"].count("█") == 4 * lines["cat"].count("█") == 32


def test_stats_of_nothing_is_a_sentence(prep, tmp_path: Path, capsys):
    assert prep("stats", tmp_path) == 3
    assert "no prepared dataset" in capsys.readouterr().err


def test_real_preparation_is_counted_as_its_books_say(prep, small, out: Path):
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out) == 0
    dataset = prepared_datasets(out)[0]
    for split in tally(dataset).splits:
        counts = dataset.report.splits[split.split].counts
        assert split.pictures == counts["image"].written
        assert split.captions == counts["caption"].written
        assert split.questions == counts["question"].written
        assert split.objects + split.regions + split.crowds == counts["box"].written


def test_splits_without_a_sample_are_counted_too(prep, small, stats, out: Path, tmp_path: Path):
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out) == 0
    assert prep("subset", out, "--out", tmp_path / "few", "--min-side", 5000) == 3
    text = stats(tmp_path / "few", "--svg", tmp_path / "s.svg")
    rows = [line.split() for line in text.splitlines() if line.startswith(("train", "val", "all"))]
    assert rows == [["train", "0"], ["val", "0"], ["all", "0"]]
    assert "shorter side below 5000" in text
    assert ET.fromstring((tmp_path / "s.svg").read_text(encoding="utf-8")).tag.endswith("svg")


def test_dev_is_another_name_of_val_wherever_a_split_is_named(prep, small, out, tmp_path: Path):
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out, "--split", "dev") == 0
    assert [one.splits for one in prepared_datasets(out, ["dev", "val"])] == [("val",)]
    assert prep("stats", out, "--split", "dev") == 0
    assert prep("browse", out, "--split", "dev", "--html", tmp_path / "x.html") == 0
    assert prep("subset", out, "--split", "dev", "--out", tmp_path / "dev") == 0
    assert prep("subset", out, "--split", "val", "--out", tmp_path / "dev") == 0
    export = ("export", out, "--format", "img2dataset", "--out", tmp_path / "x", "--split", "dev")
    assert prep(*export) == 0
