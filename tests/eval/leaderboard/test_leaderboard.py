import csv
import io
import json

import pytest
from msgspec.structs import replace

from vle_bench.catalog.published import by_dataset, load_published
from vle_bench.console import exit_code
from vle_bench.eval.cli import group
from vle_bench.eval.leaderboard import board
from vle_bench.eval.leaderboard.board import groups_of
from vle_bench.eval.leaderboard.render import comma_separated, json_document, markdown
from vle_bench.results import Metric, PublishedLine, result_folder, store_result


def published(groups):
    return [row for group in groups for row in group.rows if not row.ours]


def test_only_results_on_equal_terms_share_a_table(make_document):
    documents = [
        make_document("a"),
        make_document("b"),
        make_document("c", split="train"),
        make_document("d", setting="zero-shot"),
        make_document("e", sample=True),
        make_document("f", trained_on=("train",)),
        make_document("g", protocol="other"),
        make_document("h", dataset="gd-vcr"),
        make_document("i", part="886 of 26,534 questions"),
    ]
    groups = groups_of(documents)
    assert sorted([row.model for row in group.rows if row.ours] for group in groups) == [
        ["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g"], ["h"], ["i"],
    ]  # fmt: skip
    titles = {row.model: group.title for group in groups for row in group.rows if row.ours}
    assert titles["a"] == titles["b"] == "vcr: vcr val, protocol joint"
    assert titles["c"] == "vcr: vcr train, protocol joint"
    assert titles["d"] == f"{titles['a']}, zero-shot"
    assert titles["e"] == f"{titles['a']}, sample world, not real data"
    assert titles["f"] == f"{titles['a']}, trained on train"
    assert titles["i"] == f"{titles['a']}, 886 of 26,534 questions"


def test_what_only_a_signature_tells_makes_a_table_of_its_own(make_document):
    signature = "vcr|data:vcr|n:26534"
    groups = groups_of(
        [
            make_document("plain", signature=signature),
            make_document("raw", signature=f"{signature}|labels:raw|vocabulary:3-a|v:1"),
            make_document("same", signature=f"{signature}|labels:raw|vocabulary:3-a|v:2"),
            make_document("other", signature=f"{signature}|labels:raw|vocabulary:3-b|v:1"),
            make_document("folds", signature=f"{signature}|folds:5x10-a|v:1"),
            make_document("more", signature=f"{signature}|positives:a|v:1"),
        ]
    )
    tables = {group.title: [row.model for row in group.rows if row.ours] for group in groups}
    assert tables == {
        "vcr: vcr val, protocol joint": ["plain"],
        "vcr: vcr val, protocol joint, labels raw, vocabulary 3-a": ["raw", "same"],
        "vcr: vcr val, protocol joint, labels raw, vocabulary 3-b": ["other"],
        "vcr: vcr val, protocol joint, folds 5x10-a": ["folds"],
        "vcr: vcr val, protocol joint, positives a": ["more"],
    }
    rules = [group["rules"] for group in json.loads(json_document(groups))["groups"]]
    assert ["labels raw", "vocabulary 3-b"] in rules


@pytest.mark.parametrize(
    "field",
    ["split_note", "setting_note", "part", "trained_on", "verified", "source", "setting", "why"],
)
def test_published_scores_of_another_origin_are_another_row(make_document, monkeypatch, field):
    line = PublishedLine(
        model="m", metric="q2a", dataset="vcr", split="val", setting="finetuned", value="1.0",
        verified="yes", source="s", comparable=False, why="w",
    )  # fmt: skip
    other = replace(line, **{field: "no" if field == "verified" else "else"}, value="2.0")
    monkeypatch.setattr(board, "published_lines", lambda _: (line, other))
    rows = published(groups_of([make_document()]))
    assert sorted(row.values["q2a"] for row in rows) == ["1.0", "2.0"]


def test_the_order_of_the_store_moves_nothing(make_document):
    documents = [make_document("a", 40.0), make_document("b", 60.0), make_document("c", 60.0)]
    assert markdown(groups_of(documents)) == markdown(groups_of(documents[::-1]))
    (table,) = groups_of(documents)
    assert [row.model for row in table.rows if row.ours] == ["b", "c", "a"]


def test_every_published_score_of_the_dataset_is_in_the_csv_with_its_digits(make_document):
    groups = groups_of([make_document()])
    rows = list(csv.DictReader(io.StringIO(comma_separated(groups))))
    shown = sorted(
        (row["model"], row["metric"], row["value"], row["row_split"], row["source"])
        for row in rows
        if row["ours"] == "no" and "region" not in row["row_split"]
    )
    expected = sorted(
        (row.model, row.metric, row.value, row.split, row.source)
        for row in load_published()
        if row.dataset == "vcr" and row.metric in {"q2a", "qa2r", "q2ar"}
    )
    assert [row for row in shown if row in expected] == expected


def recalls(*names):
    return {name: Metric(value=75.0, n=5008, low=74.0, high=76.0) for name in names}


def test_a_task_that_asks_one_way_is_ordered_by_its_own_mean_recall(make_document):
    """MUGE's official score is the mean recall of image retrieval; it has no RSUM."""
    names = ("t2i_r1", "t2i_r5", "t2i_r10", "t2i_mean_recall")
    documents = [
        make_document("low", task="retrieval", dataset="muge", metrics=recalls(*names)),
        make_document(
            "high",
            task="retrieval",
            dataset="muge",
            metrics={
                **recalls(*names),
                "t2i_mean_recall": Metric(value=80.0, n=5008, low=79.0, high=81.0),
            },
        ),
    ]
    (table,) = groups_of(documents)
    assert (table.main, table.metrics) == ("t2i_mean_recall", names)
    assert [row.model for row in table.rows if row.ours] == ["high", "low"]
    assert "79.00 to 81.00" in markdown([table])
    shown = {
        (row.model, row.source, row.values.get("t2i_mean_recall")) for row in published([table])
    }
    expected = {
        (row.model, row.source, row.value)
        for row in load_published()
        if row.dataset == "muge" and row.metric == "t2i_mean_recall"
    }
    assert len(expected) == 15
    assert expected <= shown


@pytest.mark.parametrize(("dataset", "there"), [("flickr30k-cn", True), ("flickr30k", False)])
def test_beside_both_directions_stand_their_own_means_where_somebody_prints_them(
    make_document, dataset, there
):
    names = [f"{way}_{what}" for way in ("i2t", "t2i") for what in ("r1", "mean_recall")]
    document = make_document(
        task="retrieval", dataset=dataset, metrics=recalls(*names, "rsum", "mean_recall")
    )
    (table,) = groups_of([document])
    assert table.main == "rsum"
    assert ("i2t_mean_recall" in table.metrics) == there == ("t2i_mean_recall" in table.metrics)


def test_runs_that_ask_different_ways_bring_the_published_scores_of_both(make_document):
    groups = groups_of(
        make_document(f"asks {way}", task="retrieval", dataset="flickr30k", split="test",
                      metrics={f"{way}_r1": Metric(value=50.0, n=5000)}) for way in ("i2t", "t2i")
    )  # fmt: skip
    (table,) = groups
    assert {name for row in published(groups) for name in row.values} == {"i2t_r1", "t2i_r1"}
    assert table.metrics == ("i2t_r1", "t2i_r1")


def test_captions_of_another_number_stand_in_a_table_of_their_own(make_document):
    """Published scores of 25,000 captions are opponents of one of these, whatever comes first."""

    def run(captions, way, sample=False):
        return make_document(
            f"{way} {captions}", task="retrieval", dataset="coco", split="test", sample=sample,
            protocol="pessimistic", signature=f"retrieval|data:coco|n:5000x{captions}|v:0",
            metrics={f"{way}_r1": Metric(value=50.0, n=captions if way == "t2i" else 5000)},
        )  # fmt: skip

    runs = [run(captions, way) for captions in (25_010, 25_000) for way in ("i2t", "t2i")]
    for order in (runs, runs[::-1]):
        whole, fewer = sorted(groups_of(order), key=lambda group: len(group.title))
        assert {row.model for row in whole.rows if row.ours} == {"i2t 25010", "t2i 25010"}
        assert fewer.title == f"{whole.title}, captions 25,000"
        for table, opposed in ((whole, False), (fewer, True)):
            rows = [row for row in published([table]) if "25,000 captions" in row.note]
            assert any(row.comparable for row in rows) == opposed
    for one, opposed in ((runs[0], False), (runs[2], True)):
        (table,) = groups_of([one])  # pictures alone ask, and have as many texts to find
        rows = [row for row in published([table]) if "25,000 captions" in row.note]
        assert any(row.comparable for row in rows) == opposed
    (table,) = groups_of([run(60, "t2i", sample=True)])
    assert table.title.endswith("protocol pessimistic, sample world, not real data")


def test_no_published_score_of_any_dataset_is_left_out(make_document):
    tasks = {"vqav2": "vqa", "vcr": "vcr", "gd-vcr": "vcr"}
    rows = by_dataset(load_published())
    documents = [
        make_document(
            task=tasks.get(name, "retrieval"), dataset=name,
            metrics=recalls(*(row.metric for row in found)),
        )
        for name, found in rows.items()
    ]  # fmt: skip
    shown = {
        (row.model, metric, digits, row.verified, row.source)
        for row in published(groups_of(documents))
        for metric, digits in row.values.items()
    }
    for row in load_published():
        assert (row.model, row.metric, row.value, row.verified, row.source) in shown


def test_mean_average_precision_with_extended_positives_has_its_columns(make_document):
    names = ("i2t_r1", "rsum", "i2t_map_r", "t2i_map_r", "i2t_r_precision", "t2i_r_precision")
    (table,) = groups_of([make_document(task="retrieval", dataset="coco", metrics=recalls(*names))])
    assert table.metrics == names


def test_a_published_test_score_is_marked_with_its_reason(make_document):
    groups = groups_of([make_document()])
    tested = [row for row in published(groups) if row.split == "test"]
    assert tested
    assert all(not row.comparable and "split: test" in row.why for row in tested)
    text = markdown(groups)
    assert "no [1]" in text
    assert "[1] not comparable: " in text


def test_nothing_is_comparable_with_the_sample_world_and_the_title_says_so(make_document):
    groups = groups_of([make_document(sample=True)])
    assert not any(row.comparable for row in published(groups))
    assert "sample world, not real data" in markdown(groups)


def test_recalled_scores_are_never_shown_as_verified(make_document):
    groups = groups_of([make_document()])
    recalled = [row for row in published(groups) if row.verified == "no"]
    assert recalled
    for line in markdown(groups).splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        for row in recalled:
            if row.comparable and row.model in cells and row.source in cells:
                assert "NO, recalled" in cells


def test_markdown_shows_comparable_rows_first_and_counts_what_it_leaves_out(make_document):
    (group_,) = groups_of([make_document()])
    verdicts = [row.comparable for row in group_.rows]
    assert verdicts == sorted(verdicts, reverse=True)
    hidden = verdicts.count(False) - 10
    assert hidden > 0
    short = markdown([group_], most=10)
    assert f"{hidden} more published rows that are not comparable" in short
    assert "more published rows" not in markdown([group_])
    assert len(markdown([group_]).splitlines()) == len(short.splitlines()) + hidden - 1


def test_json_keeps_numbers_and_intervals_of_ours(make_document):
    document = json.loads(json_document(groups_of([make_document()])))
    (ours,) = [row for row in document["groups"][0]["rows"] if row["ours"]]
    assert ours["measured"]["q2ar"] == {"value": 50.0, "n": 26534, "low": 49.0, "high": 51.0}


def test_a_task_of_other_people_shows_the_metrics_it_has(make_document):
    metrics = {"f1": Metric(value=12.5, n=3)}
    (table,) = groups_of([make_document(task="captions", dataset="mine", metrics=metrics)])
    assert table.metrics == ("f1",)
    assert "12.50" in markdown([table])


def stored(root, document):
    store_result(result_folder(root, document), document, items={"id": ["1"]}, predictions=b"{}\n")


def test_the_command_reads_a_store_and_writes_each_form(tmp_path, make_document, capsys):
    root = tmp_path / "results"
    stored(root, make_document("mine"))
    for form, mark in (("md", "| **mine** "), ("csv", ",mine,yes,"), ("json", '"model": "mine"')):
        assert exit_code(group, "vle-eval", ["leaderboard", "--results", str(root),
                                             "--format", form]) == 0  # fmt: skip
        assert mark in capsys.readouterr().out
    out = tmp_path / "board.md"
    arguments = ["leaderboard", "--results", str(root), "--out", str(out)]
    assert exit_code(group, "vle-eval", arguments) == 0
    assert capsys.readouterr().out == ""
    before = out.stat().st_mtime_ns
    assert exit_code(group, "vle-eval", arguments) == 0
    assert out.stat().st_mtime_ns == before


def test_what_another_run_is_writing_of_the_same_board_is_not_touched(tmp_path, make_document):
    root, out, aside = tmp_path / "results", tmp_path / "board", tmp_path / ".board.tmp"
    stored(root, make_document("mine"))
    aside.write_bytes(b"half of")
    arguments = ["leaderboard", "--results", str(root), "--out", str(out)]
    assert exit_code(group, "vle-eval", arguments) == 0
    assert (aside.read_bytes(), out.is_file()) == (b"half of", True)


@pytest.mark.parametrize("arguments", [[], ["--task", "vqa"]])
def test_an_empty_store_says_how_to_fill_it(tmp_path, make_document, capsys, arguments):
    root = tmp_path / "results"
    if arguments:
        stored(root, make_document())
    assert exit_code(group, "vle-eval", ["leaderboard", "--results", str(root), *arguments]) == 3
    assert "Score something first" in capsys.readouterr().err


def test_an_empty_leaderboard_is_a_page_too():
    assert "No result is stored yet" in markdown([])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--format", "csv", "--most", "3"], "--most shortens Markdown and LaTeX"),
        (["--format", "html", "--most", "3"], "--most shortens Markdown and LaTeX"),
        (["--data", "shards"], "--data shapes a page"),
        (["--format", "tex", "--single"], "--single shapes a page"),
    ],
)
def test_an_option_that_this_form_does_not_have_is_wrong_usage(vle_eval, arguments, told):
    ran = vle_eval("leaderboard", *arguments)
    assert (ran.code, ran.out, told in ran.err) == (2, "", True)
