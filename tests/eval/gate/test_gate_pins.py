"""Pinned scores: known files, a tolerance each, and nothing unchecked passes in silence."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from vle_bench.errors import DataProblem
from vle_bench.eval.gate.asked import named_files, placed_request
from vle_bench.eval.gate.difference import Checked, Difference
from vle_bench.eval.gate.pin_file import ENDING, find_pins, read_pin
from vle_bench.eval.gate.reports import junit_bytes
from vle_bench.eval.gate.stamp import GateStamp, since
from vle_bench.eval.tasks import TASKS, load_task

MANIFESTS = Path(__file__).resolve().parents[3] / "manifests"
KINDS = "golden-vcr-kinds"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A user's folder: one pin of VCR by kind, its files in the neighbour `golden`."""
    shutil.copytree(MANIFESTS / "golden" / "vcr_kinds", tmp_path / "golden" / "vcr_kinds")
    (tmp_path / "golden" / "vcr_kinds" / "case.toml").unlink()
    (tmp_path / "pins").mkdir()
    shutil.copy(MANIFESTS / "pins" / f"{KINDS}.toml", tmp_path / "pins")
    return tmp_path


def pin_of(shelf: Path) -> Path:
    return shelf / "pins" / f"{KINDS}{ENDING}"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def swap_two_kinds(shelf: Path) -> None:
    """val-1 (likely) loses what val-2 (possible) wins: every total stands still."""
    path = shelf / "golden" / "vcr_kinds" / "predictions.jsonl"
    edit(path, '"val-1", "q2a": [0, 1, 0, 0]', '"val-1", "q2a": [1, 0, 0, 0]')
    edit(path, '"val-2", "q2a": [0, 0, 0, 1]', '"val-2", "q2a": [0, 0, 1, 0]')


def test_pins_of_a_folder_are_found_and_pass(shelf, vle_eval):
    ran = vle_eval("check", shelf)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "The gate is open: nothing moved.\n"
    assert find_pins(shelf) == find_pins(shelf / "pins") == [pin_of(shelf)]
    assert vle_eval("check", pin_of(shelf)).code == 0


def test_every_shipped_pin_has_its_files_scores_and_stamp():
    pins = find_pins(MANIFESTS)
    assert len(pins) >= 4
    for path in pins:
        pin = read_pin(path)
        assert pin.files
        assert pin.metrics
        assert pin.stamp is not None
        assert pin.stamp.code


def test_two_kinds_that_swap_are_seen_though_the_total_stands_still(shelf, vle_eval):
    swap_two_kinds(shelf)
    ran = vle_eval("check", shelf, "--json")
    assert ran.code == 1
    (check,) = [one for one in json.loads(ran.out)["checks"] if one["status"] == "moved"]
    moved = {row["metric"] for row in check["differences"]}
    assert {"q2a[answer_likelihood=likely]", "q2a[answer_likelihood=possible]"} <= moved
    assert "q2a" not in moved
    told = "predictions (../golden/vcr_kinds/predictions.jsonl) changed"
    assert check["since"][0] == told


def test_a_score_within_its_tolerance_has_not_moved(shelf, vle_eval):
    edit(pin_of(shelf), '"q2a" = { value = 62.5, n = 8 }', '"q2a" = { value = 62.53, n = 8 }')
    assert vle_eval("check", shelf).code == 1
    edit(pin_of(shelf), "value = 62.53, n = 8", "value = 62.53, n = 8, tolerance = 0.05")
    assert vle_eval("check", shelf).code == 0


def test_another_number_of_items_has_moved_and_none_pinned_is_not_asked(shelf, vle_eval):
    edit(pin_of(shelf), '"q2a" = { value = 62.5, n = 8 }', '"q2a" = { value = 62.5, n = 9 }')
    ran = vle_eval("check", shelf)
    assert ran.code == 1
    assert "q2a.n" in ran.out
    edit(pin_of(shelf), '"q2a" = { value = 62.5, n = 9 }', '"q2a" = { value = 62.5 }')
    assert vle_eval("check", shelf).code == 0
    edit(pin_of(shelf), '"q2a" =', '"q2a[question_word=whence]" = { value = 1.0, n = 2 }\n"q2a" =')
    assert vle_eval("check", shelf).code == 1


def test_a_digest_that_is_none_is_refused(shelf, vle_eval):
    path = pin_of(shelf)
    (name, digest), *_ = tomllib.loads(path.read_text())["files"].items()
    edit(path, digest, digest[:-1])
    ran = vle_eval("check", shelf)
    assert ran.code == 3
    assert f"files: {name}: expected a sha256 of 64 hex digits" in ran.err


def test_a_metric_that_is_gone_has_moved(shelf, vle_eval):
    edit(pin_of(shelf), '"q2a" =', '"q2a[question_word=whence]" = { value = 1.0 }\n"q2a" =')
    ran = vle_eval("check", shelf)
    assert ran.code == 1
    assert "q2a[question_word=whence]" in ran.out
    assert "absent" in ran.out


def test_update_keeps_what_a_person_wrote_and_writes_the_same_bytes_twice(shelf, vle_eval):
    path = pin_of(shelf)
    edit(path, "n = 8 }", "n = 8, tolerance = 0.5 }")
    head = path.read_text(encoding="utf-8").partition("[files]")[0]
    swap_two_kinds(shelf)
    ran = vle_eval("check", shelf, "--update")
    assert ran.code == 0
    assert "q2a[answer_likelihood=likely]" in ran.out
    assert "Written:" in ran.err
    written = path.read_bytes()
    assert written.decode().startswith(head)
    assert tomllib.loads(written.decode())["metrics"]["q2a"]["tolerance"] == 0.5
    moment = path.stat().st_mtime_ns
    assert vle_eval("check", shelf, "--update").err == "The gate is open: nothing moved.\n"
    assert path.stat().st_mtime_ns == moment
    path.write_text(head, encoding="utf-8")
    assert vle_eval("check", shelf, "--update").code == 0
    assert path.read_bytes() == written.replace(b", tolerance = 0.5", b"")


def test_absent_files_are_counted_and_fail_under_strict(shelf, tmp_path_factory, vle_eval):
    elsewhere = tmp_path_factory.mktemp("big")
    path = pin_of(shelf)
    path.write_text(path.read_text(encoding="utf-8").replace("../golden/", ""), encoding="utf-8")
    ran = vle_eval("check", shelf)
    assert ran.code == 0
    assert "not checked: pins/golden-vcr-kinds: " in ran.err
    assert "neither beside the pin nor below --files" in ran.err
    assert ran.err.endswith("nothing moved. 1 pin could not be checked.\n")
    strict = vle_eval("check", shelf, "--strict")
    assert strict.code == 1
    assert "1 pin not checked (--strict)" in strict.err
    shutil.move(shelf / "golden" / "vcr_kinds", elsewhere / "vcr_kinds")
    assert vle_eval("check", shelf, "--strict", "--files", elsewhere).code == 0
    assert vle_eval("check", shelf, "--files", elsewhere / "absent").code == 3


def test_pinned_numbers_that_contradict_each_other_close_the_gate(shelf, vle_eval):
    edit(pin_of(shelf), '"q2ar" = { value = 37.5', '"q2ar" = { value = 97.5')
    shutil.rmtree(shelf / "golden")
    ran = vle_eval("check", shelf)
    assert ran.code == 1
    assert "q2ar <= q2a" in ran.out
    update = vle_eval("check", shelf, "--update")
    assert update.code == 1, "without its files nothing of it can be written"
    assert "Written" not in update.err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('task = "vcr"', 'task = "vcrr"', "vcrr: no such task. Known: vqa, vcr"),
        ('task = "vcr"', 'tsk = "vcr"', 'unknown key. Did you mean "task"?'),
        (
            "resamples = 0",
            "resample = 0",
            'options: resample: unknown key. Did you mean "resamples"?',
        ),
        ("resamples = 0", "resamples = -1", "options: resamples: expected int >= 0, found -1"),
        ("resamples = 0", 'missing = "none"', 'expected one of error, zero, found "none"'),
        ("../golden/vcr_kinds/val.jsonl", "../../etc/passwd", "leaves the folder that the pins"),
        ("../golden/vcr_kinds/val.jsonl", "/etc/passwd", "leaves the folder that the pins"),
        ("value = 62.5", "value = nan", "a finite value was expected"),
        ("value = 62.5", "value = 62.5, tolerance = -1.0", "from 0 upwards"),
        ("[options]", "tolerance = inf\n[options]", "from 0 upwards"),
        ("[metrics]", "[files.deep]\n[metrics]", "files"),
        ("[options]", "files = {}\n[options]", "files"),
        ("[options]", "[metrics]\n[options]", "metrics"),
    ],
)
def test_a_pin_that_cannot_be_used_is_a_problem_of_the_data(shelf, vle_eval, old, new, told):
    edit(pin_of(shelf), old, new)
    before = pin_of(shelf).read_bytes()
    for options in ((), ("--update",)):
        ran = vle_eval("check", shelf, *options)
        assert (ran.code, ran.out) == (3, "")
        assert told in ran.err
        assert f"{KINDS}.toml" in ran.err
    assert pin_of(shelf).read_bytes() == before


def test_measured_tables_stand_last(shelf, vle_eval):
    path = pin_of(shelf)
    text = path.read_text(encoding="utf-8")
    head, _, tail = text.partition("[options]")
    options, _, measured = tail.partition("[files]")
    path.write_text(f"{head}[files]{measured}\n[options]{options}", encoding="utf-8")
    ran = vle_eval("check", shelf)
    assert ran.code == 3
    assert "Put them last" in ran.err


def test_a_changed_file_that_cannot_be_scored_is_told_with_its_digest(shelf, vle_eval):
    (shelf / "golden" / "vcr_kinds" / "predictions.jsonl").write_text("{}\n", encoding="utf-8")
    ran = vle_eval("check", shelf)
    assert ran.code == 3
    assert "predictions ../golden/vcr_kinds/predictions.jsonl" in ran.out


def test_one_broken_pin_stops_no_other_and_nothing_is_written(shelf, vle_eval):
    shutil.copy(pin_of(shelf), shelf / "pins" / "other.toml")
    edit(shelf / "pins" / "other.toml", 'task = "vcr"', 'task = "vcrr"')
    edit(pin_of(shelf), "value = 62.5", "value = 12.5")
    before = pin_of(shelf).read_bytes()
    junit = shelf / "junit.xml"
    ran = vle_eval("check", shelf, "--update", "--junit", junit)
    assert ran.code == 3
    assert "q2a" in ran.out
    assert pin_of(shelf).read_bytes() == before
    suite = ET.parse(junit).getroot().find("testsuite")
    assert (suite.get("errors"), suite.get("failures")) == ("1", "1")


def test_a_broken_expectation_and_a_broken_stamp_are_exit_3(tmp_path, vle_eval):
    case = Path(shutil.copytree(MANIFESTS / "golden" / "vcr_kinds", tmp_path / "case"))
    expected = (case / "expected.json").read_text(encoding="utf-8")
    for text in ("{", "[]", '{"metrics": 3}', '{"metrics": {}, "more": 1}'):
        (case / "expected.json").write_text(text, encoding="utf-8")
        ran = vle_eval("check", case)
        assert ran.code == 3
        assert "expected.json" in ran.err
    (case / "expected.json").write_text(expected.replace("62.5", "12.5", 1), encoding="utf-8")
    assert vle_eval("check", case).code == 1
    (case / "stamp.json").write_text('{"inputs": 3}', encoding="utf-8")
    ran = vle_eval("check", case)
    assert ran.code == 3
    assert "stamp.json" in ran.err


def test_an_edited_expectation_is_named_as_what_changed(tmp_path, vle_eval):
    case = Path(shutil.copytree(MANIFESTS / "golden" / "vcr_kinds", tmp_path / "case"))
    (case / "expected.json").unlink()
    assert vle_eval("check", case, "--update").code == 0
    edit(case / "expected.json", "62.5", "63.5")
    ran = vle_eval("check", case)
    assert ran.code == 1
    assert "expectation (expected.json) changed" in ran.out


def test_junit_escapes_what_strangers_named():
    name = 'a<b>&"c\x1b\ud800'
    row = Difference(name, "q2a]]>", "1.0", "2.0")
    checks = [
        Checked(kind="pin", name=name, differences=(row,), since=("x & y",)),
        Checked(kind="pin", name="absent", reason="big.npy: <not there>"),
        Checked(kind="case", name="ok"),
    ]
    suite = ET.fromstring(junit_bytes(checks, strict=False)).find("testsuite")
    assert suite.attrib == {
        "name": "vle-eval check", "tests": "3", "failures": "1", "errors": "0", "skipped": "1"
    }  # fmt: skip
    moved, absent, _ = suite.findall("testcase")
    assert moved.get("name") == 'a<b>&"c\\u001b\\ud800'
    assert "q2a]]>" in moved.find("failure").text
    assert absent.find("skipped").get("message") == "not checked: big.npy: <not there>"
    strict = ET.fromstring(junit_bytes(checks, strict=True)).find("testsuite")
    assert (strict.get("failures"), strict.get("skipped")) == ("2", "0")


def test_junit_has_one_case_for_each_case_pin_table_and_published_file(tmp_path, vle_eval):
    assert vle_eval("check", "--junit", tmp_path / "j.xml").code == 0
    suite = ET.parse(tmp_path / "j.xml").getroot().find("testsuite")
    kinds = [case.get("classname") for case in suite.findall("testcase")]
    assert kinds.count("pin") == len(find_pins(MANIFESTS))
    assert kinds.count("published") == len([*(MANIFESTS / "published").glob("*.toml")])
    assert kinds.count("case") + kinds.count("tables") == len([*MANIFESTS.rglob("case.toml")])


def test_what_changed_is_named_nearest_first_and_the_environment_last():
    old = GateStamp(
        package="1", environment={"python": "3.11.1"}, inputs={"p": "a"},
        code={f"vle_bench/{n}.py": "1" for n in range(20)} | {"eval/vqa/accuracy.py": "1"},
    )  # fmt: skip
    new = GateStamp(
        package="2", environment={"python": "3.12.0"}, inputs={"p": "b", "q": "c"},
        code=dict.fromkeys(old.code, "2"),
    )  # fmt: skip
    told = since(old, new, roles={"p": "predictions"})
    assert told[:3] == ("predictions (p) changed", "q is new", "eval/vqa/accuracy.py changed")
    assert told[-2:] == ("13 more files of code or data", "package 1 -> 2")
    same = GateStamp(package="1", environment=new.environment, inputs=old.inputs, code=old.code)
    (only,) = since(old, same, roles={})
    assert only == "nothing recorded changed: environment (python 3.11.1 -> 3.12.0)"
    assert since(old, old, roles={}) == (
        "nothing recorded changed: neither input, code, data nor environment",
    )
    assert "no stamp" in since(None, new, roles={})[0]


def test_restamp_remembers_the_code_of_today_and_touches_no_number(shelf, vle_eval):
    case = Path(shutil.copytree(MANIFESTS / "golden" / "vcr_kinds", shelf / "case"))
    tables = Path(shutil.copytree(MANIFESTS / "golden" / "tables", shelf / "tables"))
    for folder in (case, tables):
        (folder / "stamp.json").unlink(missing_ok=True)
    numbers = {path: path.read_bytes() for path in shelf.rglob("*") if path.is_file()}
    whole = pin_of(shelf).read_text(encoding="utf-8")
    pin_of(shelf).write_text(whole.partition("[stamp]")[0], encoding="utf-8")
    ran = vle_eval("check", shelf, "--restamp")
    assert (ran.code, ran.out) == (0, "")
    assert "Stamped anew: 3 checks." in ran.err
    assert (case / "stamp.json").is_file()
    assert (tables / "stamp.json").is_file()
    assert (
        pin_of(shelf).read_text(encoding="utf-8").partition("[stamp")[0]
        == (whole.partition("[stamp]")[0])
    )
    for path in numbers.keys() - {pin_of(shelf)}:
        assert path.read_bytes() == numbers[path]
    assert vle_eval("check", shelf, "--restamp").err == "The gate is open: nothing moved.\n"


def test_every_text_option_of_every_task_is_a_path_or_a_known_word():
    words = {"model", "dataset", "split"}
    for name in TASKS.names():
        kind = load_task(name).request_type
        texts = {info.name for info in msgspec.structs.fields(kind) if info.type is str} - words
        for option in texts:
            found = named_files(name, {option: "some/file"}, where="case.toml")
            assert list(found) == ["some/file"], f"{name}: {option}"
            with pytest.raises(DataProblem, match="kept in"):
                placed_request(
                    load_task(name), {option: "some/file"}, place=refuse, where="case.toml"
                )


def refuse(path: str) -> str:
    raise DataProblem(f"{path}: kept in")
