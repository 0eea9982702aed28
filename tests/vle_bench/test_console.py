"""Exit codes and streams of both command lines."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading

import click
import pytest

from vle_bench.console import CommandEntry, LazyGroup, counted, exit_code, progress
from vle_bench.errors import DataProblem, GateFailed, MachineProblem, UsageProblem
from vle_bench.registry import Registry


def failing(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GateFailed("moved"), 1),
        (UsageProblem("options"), 2),
        (click.UsageError("options"), 2),
        (DataProblem("absent"), 3),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x.json"), 3),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "x/y"), 3),
        (RecursionError(), 3),
        (MachineProblem("full"), 4),
        (OSError(errno.ENOSPC, "No space left on device", "out.tar"), 4),
        (PermissionError(errno.EACCES, "Permission denied", "out.tar"), 4),
        (MemoryError(), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_failure_has_the_exit_code_of_the_contract_and_no_traceback(error, code, capsys):
    assert exit_code(failing(error), "x", []) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert 1 <= len(captured.err.splitlines()) <= 10
    assert "Traceback" not in captured.err


def test_a_command_that_ends_well_exits_zero():
    @click.command()
    def command() -> None:
        click.echo("fine")

    assert exit_code(command, "x", []) == 0


def test_unknown_options_are_wrong_usage():
    assert exit_code(failing(KeyError()), "x", ["--no-such-option"]) == 2


def test_a_group_imports_a_command_only_when_it_runs(capsys):
    entries = {
        "good": CommandEntry("vle_bench.eval.commands.leaderboard:command", "Shows tables."),
        "broken": CommandEntry("no.such.module:command", "Never imported."),
        "strange": CommandEntry("vle_bench.errors:EXIT_OK", "No command."),
    }
    group = LazyGroup("x", entries=entries, help_text="Helps.")
    assert exit_code(group, "x", ["--help"]) == 0
    shown = capsys.readouterr().out
    assert "Never imported." in shown
    assert exit_code(group, "x", ["good", "--help"]) == 0
    assert exit_code(group, "x", ["unknown"]) == 2
    with pytest.raises(ModuleNotFoundError):
        exit_code(group, "x", ["broken"])
    with pytest.raises(TypeError, match="is no click command"):
        exit_code(group, "x", ["strange"])


def test_a_reader_that_leaves_early_is_no_failure():
    code = (
        "import sys, click\n"
        "from vle_bench.console import run\n"
        "@click.command()\n"
        "def command():\n"
        "    for _ in range(100000):\n"
        "        click.echo('x' * 100)\n"
        "run(command, 'x')\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    writer.stdout.close()
    assert writer.stderr is not None
    assert writer.stderr.read() == b""
    assert writer.wait(30) == 0


def test_progress_is_silent_where_nobody_looks():
    assert list(progress([1, 2], total=2, what="shards")) == [1, 2]


def test_a_bar_is_drawn_for_a_terminal_and_leaves_no_thread(monkeypatch, capsys):
    with counted(2, "things") as step:
        step()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    before = threading.active_count()
    with counted(2, "things") as step:
        step()
        step()
        assert threading.active_count() == before
    assert "things" in capsys.readouterr().err


def test_a_registry_names_what_it_knows():
    registry = Registry("scorer", {"a": "vle_bench.errors:EXIT_OK"}, group="vle_bench.no_such")
    assert registry.names() == ("a",)
    assert registry.load("a") == 0
    with pytest.raises(UsageProblem, match=r"b: no such scorer\. Known: a\."):
        registry.load("b")


def test_a_message_stays_a_message_whatever_it_quotes(capsys):
    quoted = "\n".join(f"p.json:{number}: id \x1b[2J{'x' * 5000}" for number in range(40))
    assert exit_code(failing(DataProblem(f"{quoted}\nKeep one each.")), "x", []) == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert max(map(len, lines)) < 1100
    assert lines[0].startswith(r"p.json:0: id \x1b[2Jxxx")
    assert lines[-2:] == ["... and 32 more lines.", "Keep one each."]


def test_wrong_usage_is_told_in_lines_of_a_screen(capsys):
    @click.command()
    @click.option("--seed", type=int)
    def command(seed: int) -> None:
        raise AssertionError(seed)

    assert exit_code(command, "x", ["--seed", "1" + "0" * 5000]) == 2
    assert max(map(len, capsys.readouterr().err.splitlines())) < 1100


def test_a_name_that_is_no_text_is_refused_before_it_can_reach_a_document(capsys):
    assert exit_code(failing(KeyError()), "x", ["--predictions", "p\udcff.json"]) == 2
    assert capsys.readouterr().err == "'p\\udcff.json': no UTF-8 text. Rename the file.\n"


SPEAKER = (
    "import click\n"
    "from vle_bench.console import run, say\n"
    "from vle_bench.errors import DataProblem\n"
    "@click.command()\n"
    "@click.option('--fail', is_flag=True)\n"
    "def command(fail):\n"
    "    click.echo('data \\u2192')\n"
    "    say('a note')\n"
    "    if fail:\n"
    "        raise DataProblem('absent')\n"
    "run(command, 'x')\n"
)


@pytest.mark.parametrize(
    ("redirection", "code"),
    [
        (">&-", 0),
        ("2>&-", 0),
        ("<&- >&- 2>&-", 0),
        (">/dev/full", 4),
        ("2>/dev/full", 0),
        ("--fail 2>/dev/full", 3),
        ("--fail 2>&-", 3),
        ("--no-such 2>/dev/full", 2),
    ],
)
def test_streams_that_are_closed_or_full_change_no_exit_code_but_that_of_lost_data(
    redirection, code
):
    script = f'"$0" -c "$1" {redirection}'
    run = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable, SPEAKER], capture_output=True, text=True
    )
    assert run.returncode == code, run.stderr
    assert "Traceback" not in run.stderr
    assert "Exception ignored" not in run.stderr


def test_data_are_utf_8_in_every_locale():
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = subprocess.run([sys.executable, "-c", SPEAKER], capture_output=True, env=environment)
    assert run.stdout == "data \u2192\n".encode()
