"""What both command lines share: lazy commands, exit codes, streams, progress.

`--help` must answer in under 0.3 s, so a command's module is imported only when
that command runs; its one-line help stands in the table beside its name.
Data goes to stdout, everything for people to stderr.
"""

from __future__ import annotations

import errno
import gc
import io
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

import click

from vle_bench.errors import (
    EXIT_DATA,
    EXIT_INTERRUPTED,
    EXIT_MACHINE,
    EXIT_OK,
    MOST_PROBLEMS,
    UsageProblem,
    VleBenchError,
    refuse_circle,
)

T = TypeVar("T")

_RARELY = 50_000
"""New objects before cycles among them are sought. The 700 of Python are for programs that make
cycles; here they were sought fifty times while modules were imported, and none was found."""
_WIDEST = 1000
"""Characters of a message's line; ten named ids need about half of that."""
_KEPT_END = 300


class Place(click.Path):
    """The type of a file or folder of this machine.

    That a place may not be read is told where it is read, as exit 4.
    """

    def __init__(self) -> None:
        super().__init__(path_type=Path, readable=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; a URL would become the folder `s3:`, so it is refused."""
        if value == "":  # the current folder, to Python; an unset variable, to who typed it
            self.fail("it is empty. Is the variable set?", param, ctx)
        if isinstance(value, str) and "://" in value:
            self.fail(f"{value} is a URL, and a place on this machine is needed here.", param, ctx)
        place = Path(os.fsdecode(super().convert(value, param, ctx)))
        refuse_circle(place)
        return place


PLACE = Place()


class CommandEntry(NamedTuple):
    """Where a command lives and the line that `--help` shows for it."""

    target: str
    summary: str


class LazyGroup(click.Group):
    """A click group whose commands are imported when they are called."""

    def __init__(self, name: str, *, entries: Mapping[str, CommandEntry], help_text: str) -> None:
        super().__init__(name, help=help_text)
        self._entries = dict(entries)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Command names in the order of the table."""
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Imports one command."""
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Writes the table of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._entries.items()])


def run(command: click.Command, program: str) -> NoReturn:
    """Runs `command` and leaves the process with the exit code of the contract."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # a document is UTF-8 in every locale
    gc.set_threshold(_RARELY)
    _end_like_ctrl_c()
    code = exit_code(command, program)
    gc.freeze()  # files are closed; Python would look through all that is left for cycles, twice
    sys.exit(code)


def _end_like_ctrl_c() -> None:
    """A scheduler's SIGTERM and a terminal that closes end a command as Ctrl-C does.

    What was begun is cleared away, and a store is told that nobody writes there any more.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores one
            signal.signal(number, signal.default_int_handler)


def exit_code(command: click.Command, program: str, args: list[str] | None = None) -> int:
    """Runs `command`; says what went wrong on stderr in one to ten lines; returns the exit code."""
    given = sys.argv[1:] if args is None else list(args)
    # Not click's own `main`: it answers a closed pipe with 1, which is the gate's code here.
    try:
        _refuse_undecodable(given)
        with command.make_context(program, given) as context:
            command.invoke(context)
        if sys.stdout is not None:  # None where it was closed before the start
            sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as problem:
        told = io.StringIO()
        problem.show(told)
        lines = told.getvalue().expandtabs(4).rstrip("\n").split("\n")
        say("\n".join(_one_line(line) for line in lines))
        return problem.exit_code
    except VleBenchError as problem:
        say(message_text(str(problem)))
        return problem.exit_code
    except (KeyboardInterrupt, click.exceptions.Abort):
        say("Interrupted.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    except RecursionError:
        say("The input is nested too deeply to be read.")
        return EXIT_DATA
    except MemoryError:
        say("Out of memory. Close other programs or use a smaller input.")
        return EXIT_MACHINE
    except OSError as problem:
        return _refused(problem)
    return EXIT_OK


def message_text(problem: str) -> str:
    r"""A problem as it is printed, whatever the data that it quotes look like.

    At most ten lines, none longer than a screen, no control characters.

    >>> message_text("p.json: question_id a\x1b[2J twice")
    'p.json: question_id a\\x1b[2J twice'
    """
    lines = problem.split("\n")
    if len(lines) > MOST_PROBLEMS:
        # The first lines say what is wrong, the last one what to do.
        left = f"... and {len(lines) - MOST_PROBLEMS + 1} more lines."
        lines = [*lines[: MOST_PROBLEMS - 2], left, lines[-1]]
    return "\n".join(_one_line(line) for line in lines)


def say(text: str) -> None:
    """One message for people, on stderr; where nobody can be told, the exit code still says it."""
    with suppress(OSError):
        click.echo(text, err=True)


def typed(place: Path | str) -> str:
    """A place as it is typed at a shell, in the commands that we tell people to run.

    >>> typed("data/shards"), typed("my shards")
    ('data/shards', "'my shards'")
    """
    return shlex.quote(str(place))


def amount(count: int, thing: str, things: str = "") -> str:
    """A number and what it counts.

    Args:
        count: The number.
        thing: The word for one.
        things: The word for several, where it is not made with an s.

    >>> amount(1, "shard"), amount(1200, "shard"), amount(0, "box", "boxes")
    ('1 shard', '1,200 shards', '0 boxes')
    """
    return f"{count:,} {thing if count == 1 else things or f'{thing}s'}"


def verb(count: int, one: str, several: str) -> str:
    """The form of a verb that goes with a number of things.

    >>> verb(1, "has", "have"), verb(0, "was", "were")
    ('has', 'were')
    """
    return one if count == 1 else several


def progress(items: Iterable[T], *, total: int | None, what: str) -> Iterable[T]:
    """`items` behind a progress bar on stderr, shown only on a terminal."""
    if not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    return tqdm(items, total=total, desc=what, unit="", leave=False)


def _refuse_undecodable(args: Sequence[str]) -> None:
    """A name that is no UTF-8 has no place in a result document, which names its inputs."""
    for one in args:
        try:
            one.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UsageProblem(f"{one!a}: no UTF-8 text. Rename the file.") from error


def _one_line(text: str) -> str:
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(shown) <= _WIDEST:
        return shown
    return f"{shown[: _WIDEST - _KEPT_END]} ... {shown[-_KEPT_END:]}"


@contextmanager
def counted(total: int, what: str) -> Iterator[Callable[[], None]]:
    """A function to call once a step, and a progress bar on stderr, shown only on a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from tqdm import tqdm

    # tqdm's monitor is a thread that the interpreter kills when it ends, and beside C++
    # libraries that is now and then an abort (exit 134) in place of our exit code.
    tqdm.monitor_interval = 0
    with tqdm(total=total, desc=what, unit="", leave=False) as bar:

        def step() -> None:
            bar.update(1)

        yield step


def _refused(problem: OSError) -> int:
    place = problem.filename or "the system"
    say(message_text(f"{place}: {problem.strerror or problem}."))
    missing = problem.errno in {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
    return EXIT_DATA if missing else EXIT_MACHINE


def _reader_left() -> int:
    # `vle-eval ... | head`: the reader has what it wanted. Python would complain once more
    # when it flushes stdout at exit, so stdout is pointed at nothing.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_OK
