"""The page as files: what is in them, that they are whole, safe, small, and the same again."""

from __future__ import annotations

import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from vle_bench.errors import DataProblem
from vle_bench.eval.facts.read import facts_of
from vle_bench.eval.leaderboard.page import write
from vle_bench.eval.leaderboard.page.item_sets import item_sets, packed, read_runs
from vle_bench.eval.leaderboard.page.picks import chosen, most_different, picks_of, tickets
from vle_bench.eval.leaderboard.page.pieces import Options
from vle_bench.eval.leaderboard.page.tables import breakdown
from vle_bench.eval.leaderboard.page.write import single_page, write_page
from vle_bench.pages.markup import safe_json
from vle_bench.results import Metric, stored_results

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def embedded(page: bytes) -> dict:
    found = re.search(rb'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def called(script: bytes) -> list:
    """What a piece hands to the page."""
    assert script.startswith(b"vlePiece(")
    assert script.endswith(b");\n")
    return json.loads(b"[" + script[len(b"vlePiece(") : -len(b");\n")] + b"]")


def unpacked(width: int, text: str) -> list[int]:
    codes = []
    for at in range(0, len(text), width):
        code = 0
        for letter in text[at : at + width]:
            code = code * 64 + ALPHABET.index(letter)
        codes.append(code)
    return codes


@given(st.lists(st.integers(0, 5000), max_size=30))
def test_page_codes_read_back(codes):
    width, text = packed(np.array(codes, dtype=np.int64), 5001)
    assert unpacked(width, text) == codes


def test_page_same_store_same_bytes_wherever_it_is_written(found, tmp_path):
    for name in ("one", "two"):
        write_page(tmp_path / name / "board.html", found, options=Options())
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert single_page(found, options=Options()) == single_page(found, options=Options())


def test_page_holds_every_item_of_every_run_in_its_pieces(found, tmp_path, monkeypatch):
    monkeypatch.setattr("vle_bench.eval.leaderboard.page.pieces.ITEMS_A_PIECE", 5)
    write_page(tmp_path / "board.html", found, options=Options())
    (folder,) = (tmp_path / "board_items").iterdir()
    pieces = dict(called(path.read_bytes()) for path in folder.iterdir())
    head = pieces["set0"]
    assert (head["count"], head["total"]) == (12, 12)
    ids = [name for part in range(3) for name in pieces[f"set0-{part}"]["id"]]
    assert ids == [str(number) for number in range(12)]
    for place, run in enumerate(head["runs"]):
        given_ = [
            text for part in range(3) for text in pieces[f"set0-{part}-{place}"]["prediction"]
        ]
        table = pq.read_table(found[run["run"]].folder / "items.parquet").to_pydict()
        assert given_ == table["prediction"]
        values = [run["values"][code] for code in unpacked(*run["codes"])]
        assert values == pytest.approx([100 * score for score in table["score"]])
    assert pieces["set0-0"]["gold"][1][0] == ["right 1", 8]
    assert pieces["set0-0"]["question"][1] == "What is 1?"
    assert pieces["set0-0-0"]["reasons"][0].startswith("8 annotators gave this answer")


def test_page_picks_are_the_worst_the_best_and_the_same_sample_for_every_run(found):
    (items,) = item_sets(read_runs(found))
    drawn = tickets(items.first.columns["id"], items.first.columns["group"], 0)
    even = items.runs[1]
    picks = picks_of(even, drawn, 6)
    assert sorted(picks.best) == [0, 2, 4, 6, 8, 10]
    assert sorted(picks.worst) == [1, 3, 5, 7, 9, 11]
    assert picks.best != sorted(picks.best)
    assert picks.random == picks_of(items.first, drawn, 6).random
    other = tickets(items.first.columns["id"], items.first.columns["group"], 1)
    assert picks.random != picks_of(even, other, 6).random
    assert most_different(items.first, even, 4) == [1, 3, 5, 7]
    assert most_different(even, even, 4) == []
    few = chosen(items, drawn, picks=[picks], budget=7)
    assert len(few) == 7
    assert few == sorted(set(few))


def test_page_no_name_of_a_stranger_leaves_its_place(found, tmp_path):
    write_page(tmp_path / "board.html", found, options=Options())
    files = tree(tmp_path)
    assert len(files) > 5
    for name, data in files.items():
        if name.endswith(".js"):
            assert b"<" not in data
            assert "\u2028".encode() not in data
            called(data)
    page = files["board.html"]
    assert page.count(b"</script>") == 2
    assert page.count(b"<script") == 2
    assert b"<img src=x" not in page


def test_page_policy_allows_no_network_and_no_other_inline_script(found, tmp_path):
    write_page(tmp_path / "board.html", found, options=Options())
    page = (tmp_path / "board.html").read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "unsafe" not in policy
    assert "http" not in policy
    assert rules["script-src"].split()[1:] == ["'self'", "file:"]
    alone = single_page(found, options=Options()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', alone)[1]
    assert "file:" not in policy
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page + alone)


def test_page_single_holds_at_most_what_it_may_and_says_of_how_many(store):
    root = store({"a": lambda at: f"right {at}", "b": lambda _: "no"}, questions=40)
    page = single_page(stored_results(root), options=Options(most_items=10))
    pieces = dict(embedded(page)["pieces"])
    head = pieces["set0"]
    assert (head["count"], head["total"]) == (10, 40)
    assert len(pieces["set0-0"]["id"]) == 10
    for picks in head["picks"]:
        assert all(0 <= place < 10 for kind in picks.values() for place in kind)
    assert embedded(page)["about"]["source"] == ""


def test_page_and_folder_change_together_or_not_at_all(found, tmp_path, monkeypatch):
    path = tmp_path / "board.html"
    write_page(path, found[:2], options=Options())
    before = tree(tmp_path)
    real = write.set_pieces

    def torn(*arguments, **named):
        yield from list(real(*arguments, **named))[:2]
        raise DataProblem("the disk is full")

    monkeypatch.setattr(write, "set_pieces", torn)
    with pytest.raises(DataProblem):
        write_page(path, found, options=Options())
    assert tree(tmp_path) == before
    monkeypatch.setattr(write, "set_pieces", real)
    write_page(path, found, options=Options())
    after = tree(tmp_path)
    (folder,) = {Path(name).parts[1] for name in after if name.startswith("board_items")}
    assert embedded(after["board.html"])["about"]["source"] == f"board_items/{folder}"
    assert folder not in "".join(before)


def test_page_written_by_two_at_once_has_all_its_pieces(found, tmp_path):
    some = [found[:1], found[1:], found]
    alone = []
    for number, runs in enumerate(some):
        write_page(tmp_path / f"{number}/board.html", runs, options=Options())
        alone.append(tree(tmp_path / str(number)))
    together = tmp_path / "together"
    for _ in range(3):
        with ThreadPoolExecutor(6) as pool:
            pages = [together / "board.html"] * 6
            list(pool.map(lambda *one: write_page(*one, options=Options()), pages, some * 2))
        assert tree(together) in alone


def test_page_keeps_what_others_put_beside_its_pieces(found, tmp_path):
    path = tmp_path / "board.html"
    (tmp_path / "board_items" / "mine").mkdir(parents=True)
    (tmp_path / "board_items" / "mine" / "note.txt").write_text("kept", "utf-8")
    write_page(path, found, options=Options())
    assert (tmp_path / "board_items" / "mine" / "note.txt").read_text("utf-8") == "kept"


def test_page_too_large_is_refused_and_nothing_is_left(found, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "MOST_PAGE", 10_000)
    with pytest.raises(DataProblem, match="--task"):
        write_page(tmp_path / "board.html", found, options=Options())
    assert not (tmp_path / "board_items").exists()
    assert not (tmp_path / "board.html").exists()


def test_page_says_that_references_have_changed_and_shows_none_of_their_answers(found, tmp_path):
    (items,) = item_sets(read_runs(found))
    assert facts_of(items.first.document).gold("1", "")[0] == ["right 1", 8]
    gold = Path(found[0].document.references.path)
    gold.write_text(gold.read_text("utf-8").replace("right 1", "other 1"), "utf-8")
    facts = facts_of(items.first.document)
    assert "no longer" in facts.note
    assert facts.gold("1", "") == []
    gold.unlink()
    assert "not shown" in facts_of(items.first.document).note


def test_page_result_without_items_is_in_the_tables_only(found, tmp_path):
    (found[0].folder / "items.parquet").unlink()
    page = single_page(found, options=Options())
    about = embedded(page)["about"]
    assert about["runs"][0][1:] == [-1, 0]
    assert about["runs"][1][1] == 0


@pytest.mark.parametrize(
    ("columns", "said"),
    [(None, "no item table"), ({"id": ["1"]}, "lacks the column"),
     ({"id": ["1"], "image_id": ["1"], "group": [""], "prediction": [""], "score": ["high"]},
      "score is string, a number was expected")],
)  # fmt: skip
def test_page_damaged_item_table_is_named(found, columns, said):
    path = found[0].folder / "items.parquet"
    if columns is None:
        path.write_bytes(b"PAR1 but not really PAR1")
    else:
        pq.write_table(pa.table(columns), path)
    with pytest.raises(DataProblem, match=said) as problem:
        read_runs(found)
    assert str(path) in str(problem.value)


def test_page_ranks_stand_worst_first_and_no_rank_before_all(found):
    path = found[0].folder / "items.parquet"
    table = {"id": ["a", "b", "c", "d"], "image_id": ["1"] * 4, "group": ["i2t"] * 4,
             "prediction": ["x"] * 4, "score": [0.0, 1.0, 0.0, 0.0],
             "rank": pa.array([7.0, 0.0, None, 7.0])}  # fmt: skip
    pq.write_table(pa.table(table), path)
    run = read_runs(found[:1])[0]
    assert run.values == (None, 8.0, 1.0)
    assert run.codes.tolist() == [1, 2, 0, 1]


def test_page_runs_on_other_items_are_not_laid_side_by_side(store, found, tmp_path):
    path = found[0].folder / "items.parquet"
    pq.write_table(pq.read_table(path).slice(0, 11), path)
    assert [len(items.runs) for items in item_sets(read_runs(found))] == [1, 2]


def test_page_runs_under_other_rules_are_not_laid_side_by_side(found):
    first, *others = read_runs(found)
    signature = f"{first.document.signature}|labels:raw"
    changed = replace(first, document=replace(first.document, signature=signature))
    assert [len(items.runs) for items in item_sets([changed, *others])] == [1, 2]


def test_page_breakdown_tells_parts_by_kind_and_directions(make_document):
    metrics = {
        "accuracy": Metric(value=50.0, n=10),
        "accuracy[yes/no]": Metric(value=60.0, n=4, low=50.0, high=70.0),
        "accuracy[question_type=what is]": Metric(value=40.0, n=6),
        "i2t_r10": Metric(value=90.0, n=5),
        "i2t_r1": Metric(value=80.0, n=5),
        "i2t_medr": Metric(value=1.0, n=5),
    }
    charts = {one["title"]: one["bars"] for one in breakdown(make_document(metrics=metrics))}
    assert charts["Over all items"] == [["Accuracy", 50.0, None, None, 10]]
    assert charts["Accuracy by answer type"] == [["yes/no", 60.0, 50.0, 70.0, 4]]
    assert charts["Accuracy by question type"] == [["what is", 40.0, None, None, 6]]
    whole = breakdown(make_document())[0]
    assert [bar[0] for bar in whole["bars"]] == ["Q\u2192A", "QA\u2192R", "Q\u2192AR"]
    (direction,) = [bars for title, bars in charts.items() if "i2t" in title]
    assert [bar[0] for bar in direction] == ["TR@1", "TR@10"]


@given(st.text())
def test_page_json_is_safe_in_html_and_in_scripts(text):
    data = safe_json({"text": text})
    assert not set(data.decode()) & set("<>&\u2028\u2029")
    assert json.loads(data) == {"text": text}


def test_page_command_writes_a_page_or_one_file(three, tmp_path, vle_eval):
    out = tmp_path / "made" / "board.html"
    asked = ("leaderboard", "--results", three, "--format", "html")
    done = vle_eval(*asked, "--out", out)
    assert (done.code, done.out) == (0, "")
    assert "board_items" in done.err
    assert out.stat().st_size < 2_000_000
    done = vle_eval(*asked)
    assert done.code == 2
    assert "--single" in done.err
    done = vle_eval(*asked, "--single")
    assert done.code == 0
    assert done.out.startswith("<!doctype html>")
    assert vle_eval(*asked, "--single", "--out", tmp_path / "one.html").code == 0
    assert not (tmp_path / "one_items").exists()
    assert vle_eval("leaderboard", "--results", three, "--single").code == 2


CAPTIONS = {"t1": "a dog", "t2": "a red dog", "t3": "two cats"}
FORMS = {
    "texts.jsonl": "\n".join(
        json.dumps({"text_id": name, "text": text, "image_ids": ["9" if name == "t3" else "8"]})
        for name, text in CAPTIONS.items()
    ),
    "captions.json": json.dumps(
        {
            "annotations": [
                {"id": name, "image_id": 9 if name == "t3" else 8, "caption": text}
                for name, text in CAPTIONS.items()
            ]
        }
    ),
    "dataset.json": json.dumps(
        {
            "dataset": "invented",
            "images": [
                {
                    "split": "test",
                    "cocoid": image,
                    "sentences": [{"sentid": name, "raw": CAPTIONS[name]} for name in names],
                }
                for image, names in ((8, ["t1", "t2"]), (9, ["t3"]))
            ],
        }
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_page_tells_captions_of_every_form_of_references(form, tmp_path, vle_eval):
    texts = tmp_path / form
    texts.write_text(FORMS[form], "utf-8")
    np.save(tmp_path / "scores.npy", np.array([[0.1, 0.2, 0.9], [0.3, 0.2, 0.8]], np.float32))
    done = vle_eval("retrieval", "--texts", texts, "--scores", tmp_path / "scores.npy",
                    "--resamples", 0, "--results", tmp_path / "results")  # fmt: skip
    assert done.code == 0, done.err
    page = single_page(stored_results(tmp_path / "results"), options=Options())
    pieces = dict(embedded(page)["pieces"])
    assert pieces["set0"]["groups"] == ["i2t", "t2i"]
    shared, given_ = pieces["set0-0"], pieces["set0-0-0"]
    assert shared["id"] == ["8", "9", "t1", "t2", "t3"]
    assert shared["question"] == ["", "", "a dog", "a red dog", "two cats"]
    assert shared["gold"][0] == [["a dog", 1], ["a red dog", 1]]
    assert shared["gold"][4] == [["9", 1]]
    assert given_["words"][0] == "two cats"
    assert given_["reasons"][given_["why"][0]] == (
        "The best right one stands at rank 2 of its gallery."
    )


def test_page_any_damage_of_an_item_table_is_told_or_harmless(found):
    path = found[1].folder / "items.parquet"
    whole = path.read_bytes()
    draw = random.Random(0)
    told = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(draw.choice([1, 1, 2, 8])):
            data[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(data[: draw.choice([len(data), draw.randrange(len(data))])])
        try:
            single_page(found, options=Options())
        except DataProblem as problem:
            told += str(path) in str(problem)
    assert told > 200
