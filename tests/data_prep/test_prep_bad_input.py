"""Bad input through the command line: the contract's exit codes, one to ten lines, nothing torn."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

QUESTIONS = "vqav2/v2_OpenEnded_mscoco_val2014_questions.json"
ANNOTATIONS = "vqav2/v2_mscoco_val2014_annotations.json"
SHORT_BOX = b'{"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3]}]}'
INSTANCES = "coco/annotations/instances_val2014.json"


def no_half_files(out: Path) -> None:
    """Every file under its final name is whole: tars end with their end blocks, no leftovers."""
    assert list(out.rglob("*.tmp")) == []
    for path in out.rglob("*.tar"):
        assert path.read_bytes().endswith(bytes(1024))


def told(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert 1 <= len(captured.err.strip().splitlines()) <= 10
    return captured.err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (QUESTIONS, b'{"questions": [{"question_id": 1, "image_id": 1, "ques', "truncated file"),
        (QUESTIONS, b'{"questions": [{"question_id": 1, "image_id": 1,\n"question": "\\ud83d"}]}',
         "questions.json:2: half of a surrogate pair (\\ud83d), which is no letter (byte 62)"),
        (QUESTIONS, b"[]", "Expected `object`, got `array`"),
        (QUESTIONS, b"{}", "missing required field `questions`"),
        (QUESTIONS, b'{"questions": {}}', "$.questions"),
        (QUESTIONS, b'{"questions": [{"question_id": 1.5, "image_id": 1, "question": "?"}]}',
         "$.questions[0].question_id"),
        (QUESTIONS, b"", "empty"),
        (QUESTIONS, b"\xff\xfe\x00", "val2014_questions.json"),
        (QUESTIONS, b'{"questions": [], "info": ' + b"[" * 100_000, "nested too deeply"),
        (ANNOTATIONS, b"[" * 100_000 + b"]" * 100_000, "annotations"),
        (ANNOTATIONS, b"[1, 2]", "Expected `object`, got `array`"),
        (INSTANCES, SHORT_BOX, "$.annotations[0].bbox"),
        (INSTANCES, b'{"images": [], "annotations": [NaN]}', "NaN"),
    ],
)  # fmt: skip
def test_broken_annotations_are_the_data_s_fault(small, prep, out, capsys, name, content, words):
    small.write()
    (small.root / name).write_bytes(content)
    assert prep("run", "vqav2", "--raw", small.root, "--out", out, "--workers", 1) == 3
    message = told(capsys)
    assert words in message
    assert Path(name).name in message
    assert list(out.rglob("*val*.tar")) == []
    no_half_files(out)


@pytest.mark.parametrize("answers", ["yes", [{"answer": None}], [{"answer": 3}], {"answer": "a"}])
def test_answers_that_are_no_text_name_their_question(small, prep, out, capsys, answers):
    small.annotations["val"][7]["answers"] = answers
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out) == 3
    assert "question_id 23001" in told(capsys)
    no_half_files(out)


def test_answers_that_are_no_utf8_name_their_question(small, prep, out, capsys):
    small.annotations["val"][7]["answers"][0]["answer"] = "a shop"
    path = small.write() / ANNOTATIONS
    path.write_bytes(path.read_bytes().replace(b"a shop", b"a sh\xf6p"))
    assert prep("run", "vqav2", "--raw", small.root, "--out", out) == 3
    assert "question_id 23001" in told(capsys)
    no_half_files(out)


@pytest.mark.parametrize("name", ["--raw", "--out"])
def test_an_empty_place_is_an_unset_variable_and_not_the_current_folder(
    small, prep, out, capsys, name
):
    places = {"--raw": small.write(), "--out": out} | {name: ""}
    words = [word for pair in places.items() for word in pair]
    assert prep("run", "vqav2", *words) == 2
    assert "Is the variable set?" in told(capsys)


def test_a_raw_folder_that_is_not_there_or_empty_is_missing_data(tmp_path: Path, prep, out, capsys):
    assert prep("run", "vqav2", "--raw", tmp_path / "no", "--out", out) == 3
    assert "no such folder" in told(capsys)
    (tmp_path / "empty").mkdir()
    assert prep("run", "vqav2", "--raw", tmp_path / "empty", "--out", out) == 3
    assert "v2_OpenEnded_mscoco_train2014_questions.json" in told(capsys)
    assert not out.exists()


def test_a_split_whose_files_are_missing_is_left_out_unless_it_was_asked_for(
    small, prep, out, capsys
):
    del small.annotations["train"]
    small.write()
    assert prep("run", "vqav2", "--raw", small.root, "--out", out, "--split", "train") == 3
    assert "split train lacks v2_mscoco_train2014_annotations.json" in told(capsys)
    assert prep("run", "vqav2", "--raw", small.root, "--out", out) == 0
    assert "split train is left out" in told(capsys)
    assert not (out / "vqav2/train").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch"], "no such dataset"),
        (["vqav2", "--split", "minival"], "no split minival"),
        (["vqav2", "--split", "test-dev"], "flag on questions of test"),
        (["vqav2", "--samples-per-shard", "0"], "samples-per-shard"),
        (["vqav2", "--engine", "slurm"], "no such engine"),
    ],
)
def test_wrong_usage_exits_two(small, prep, out, capsys, arguments, words):
    assert prep("run", *arguments, "--raw", small.write(), "--out", out) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_a_zip_cut_in_half_is_named(small, prep, out, capsys):
    small.write_zips()
    path = small.root / "coco/val2014.zip"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert prep("run", "vqav2", "--raw", small.root, "--out", out) == 3
    assert "val2014.zip: no whole zip" in told(capsys)
    no_half_files(out)


def test_a_zip_whose_names_climb_out_of_the_folder_is_refused(small, prep, out, capsys):
    small.write_zips()
    with zipfile.ZipFile(small.root / "vqav2/v2_Questions_Val_mscoco.zip", "a") as archive:
        archive.writestr("../../escaped.txt", b"x")
    assert prep("run", "vqav2", "--raw", small.root, "--out", out) == 3
    assert "'../../escaped.txt' names a place outside its folder" in told(capsys)
    assert not list(small.root.parent.rglob("escaped*"))
    no_half_files(out)


def test_a_picture_damaged_inside_its_zip_is_skipped(small, prep, out, capsys):
    small.write_zips()
    path = small.root / "coco/val2014.zip"
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\xda") + 30] ^= 1
    path.write_bytes(data)
    assert prep("run", "vqav2", "--raw", small.root, "--out", out, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["counts"]["image"]["skipped"] == {"picture damaged in its zip": 1}


def test_an_output_below_a_regular_file_is_the_machine_s_refusal(small, prep, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "vqav2").write_text("x")
    small.write()
    for command in ("run", "plan"):
        for place in (tmp_path / "file" / "out", tmp_path / "file", tmp_path / "out"):
            assert prep(command, "vqav2", "--raw", small.root, "--out", place) == 4
            assert "regular file stands in its way" in told(capsys)
    (tmp_path / "disk").symlink_to(tmp_path / "not mounted")
    for command in ("run", "plan"):
        place = tmp_path / "disk" / "shards"
        assert prep(command, "vqav2", "--raw", small.root, "--out", place) == 4
        assert "disk is a link to" in told(capsys)


def test_memory_that_runs_out_is_the_machine_s_refusal(small, prep, out, capsys, monkeypatch):
    def none_left(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("vle_bench.data_prep.shard_task.read_picture", none_left)
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out, "--workers", 1) == 4
    assert "memory" in told(capsys)
    no_half_files(out)


def start(
    raw: Path, out: Path, *more: str, blocks: int = 0, nohup: bool = False
) -> subprocess.Popen[str]:
    """`vle-prep run` in a process group of its own; with `blocks`, no file may grow above them."""
    command = [sys.executable, "-m", "vle_bench.data_prep.cli", "run", "vqav2", "--raw", str(raw)]
    command += ["--out", str(out), *more]
    if blocks:
        command = ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "bash", *command]
    # A shell's background job ignores Ctrl-C, one of nohup SIGHUP, and so would all that the tests
    # start from there.
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    if nohup:
        handlers[signal.SIGHUP] = signal.SIG_IGN
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_full_disk_leaves_nothing_torn(small, out, workers):
    small.picture("train", 17, small.pictures["train"]["COCO_train2014_000000000016.jpg"] * 99)

    run = start(small.write(), out, "--samples-per-shard", "2", "--workers", workers, blocks=30)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 4, errors
    assert "File too large" in errors
    assert len(errors.splitlines()) <= 10
    no_half_files(out)
    again = start(small.root, out, "--samples-per-shard", "2")
    again.communicate(timeout=60)
    assert again.returncode == 0


@pytest.fixture
def slow_raw(world) -> Path:
    """Enough pictures that a run lasts some seconds: 1,500 in 150 shards."""
    for image in range(1, 1501):
        world.picture("train", image)
        world.question("train", image)
    return world.write()


def wait_for_shards(out: Path, count: int, run: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 30
    while len(list(out.rglob("*.tar"))) < count:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < until
        time.sleep(0.002)


def tree(out: Path) -> dict[str, bytes]:
    folder = out / "vqav2"
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (signal.SIGINT, "1"),
        (signal.SIGINT, "2"),
        (signal.SIGTERM, "1"),
        (signal.SIGTERM, "2"),
        (signal.SIGHUP, "1"),
    ],
)
def test_ctrl_c_and_its_like_stop_with_one_line_and_whole_files(
    slow_raw: Path, out: Path, number: int, workers: str
):
    """As terminals and schedulers send it: to every process of the group."""
    run = start(slow_raw, out, "--samples-per-shard", "10", "--workers", workers)
    wait_for_shards(out, 2, run)
    os.killpg(run.pid, number)
    _, errors = run.communicate(timeout=30)
    assert (run.returncode, errors) == (130, "Interrupted.\n")
    no_half_files(out)
    assert not (out / "vqav2/report.json").exists()


def test_a_terminal_that_closes_ends_no_run_of_nohup(slow_raw: Path, out: Path):
    run = start(slow_raw, out, "--samples-per-shard", "10", "--workers", "2", nohup=True)
    wait_for_shards(out, 2, run)
    os.killpg(run.pid, signal.SIGHUP)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 0, errors


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_run_is_finished_by_the_next_to_the_same_tree(
    slow_raw: Path, out: Path, tmp_path: Path, workers: str
):
    options = ("--samples-per-shard", "10", "--workers", workers)
    run = start(slow_raw, out, *options)
    wait_for_shards(out, 3, run)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=30)
    for path in out.rglob("*.tar"):
        assert path.read_bytes().endswith(bytes(1024))
    again = start(slow_raw, out, *options)
    _, errors = again.communicate(timeout=60)
    assert again.returncode == 0, errors
    whole = start(slow_raw, tmp_path / "whole", *options)
    whole.communicate(timeout=60)
    assert tree(out) == tree(tmp_path / "whole")
    no_half_files(out)


def test_where_raw_holds_nothing_the_sample_world_is_prepared_instead(tmp_path, prep, out, capsys):
    sample = tmp_path / "sample"
    call = ("run", "vqav2", "--raw", tmp_path / "raw", "--out", out, "--or-sample", sample)
    assert prep(*call) == 0
    captured = capsys.readouterr()
    assert "holds no file of vqav2: the sample world" in captured.err
    assert "vqav2 (sample world)" in captured.out
    assert not out.exists()
    files = [p for p in sample.rglob("*") if p.is_file() and ".vle-prep" not in p.parts]
    shards = {path: path.stat().st_mtime_ns for path in files}
    assert any(path.suffix == ".tar" for path in shards)
    assert prep(*call) == 0
    assert shards == {p: p.stat().st_mtime_ns for p in shards}


def test_real_files_are_preferred_to_the_sample_world(small, tmp_path, prep, out):
    sample = tmp_path / "sample"
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, "--or-sample", sample)
    assert prep(*call) == 0
    assert not sample.exists()
    assert (out / "vqav2/report.json").exists()


def test_plan_says_what_is_there_and_touches_nothing(small, prep, out, capsys):
    small.pictures["val"].popitem()
    small.annotations.pop("train")
    before = sorted(small.write().rglob("*"))
    assert prep("plan", "vqav2", "--raw", small.root, "--out", out) == 0
    text = capsys.readouterr().out
    assert "train   cannot be prepared: v2_mscoco_train2014_annotations.json missing" in text
    assert prep("plan", "vqav2", "--raw", small.root, "--out", out, "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    val = next(split for split in plan["splits"] if split["split"] == "val")
    assert (val["images"], val["pictures"], val["shards"]) == (5, 4, 1)
    assert 4 * 4096 < val["bytes"] < 4 * 4096 + 20_000
    assert sorted(small.root.rglob("*")) == before
    assert not out.exists()


def test_plan_of_nothing_is_missing_data(tmp_path: Path, prep, out, capsys):
    assert prep("plan", "vqav2", "--raw", tmp_path, "--out", out) == 3
    captured = capsys.readouterr()
    assert "MISSING" in captured.out
    assert "no split of vqav2 can be prepared" in captured.err
    assert prep("plan", "vqav2", "--raw", tmp_path / "no", "--out", out) == 3


def test_list_says_what_is_needed_and_present(small, prep, capsys):
    assert prep("list") == 0
    text = capsys.readouterr().out
    assert "val: 40,504 images, 214,354 questions" in text
    assert "in v2_Annotations_Val_mscoco.zip" in text
    assert prep("list", "--raw", small.write(), "--json") == 0
    datasets = {one["name"]: one for one in json.loads(capsys.readouterr().out)["datasets"]}
    assert datasets["vqav2"]["prepared"]
    found = {
        need["path"]: need["found"]
        for split in datasets["vqav2"]["splits"]
        for need in split["needs"]
    }
    assert found["coco/val2014/"] == "coco/val2014"
    assert datasets["vcr"]["splits"][0]["needs"][0]["found"] == ""
    assert prep("list", "--raw", small.root / "no") == 3


def test_help_is_quick_to_import(prep):
    heavy = ("torch", "transformers", "pandas", "webdataset", "pyarrow", "PIL", "numpy")
    script = (
        "import sys\nfrom vle_bench.data_prep.cli import group\n"
        "from vle_bench.console import exit_code\n"
        "for name in ('list', 'plan', 'run', 'verify'):\n"
        "    assert exit_code(group, 'vle-prep', [name, '--help']) == 0\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
