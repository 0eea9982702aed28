"""What both command lines share: lazy commands, exit codes, streams, progress.

`--help` must answer in under 0.3 s, so a command's module is imported only when
that command runs; its one-line help stands in the table beside its name.
Data goes to stdout, everything for people to stderr.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import NamedTuple, NoReturn, TypeVar

import click

from vle_bench.errors import (
    EXIT_DATA,
    EXIT_INTERRUPTED,
    EXIT_MACHINE,
    EXIT_OK,
    VleBenchError,
)

T = TypeVar("T")


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
    sys.exit(exit_code(command, program))


def exit_code(command: click.Command, program: str, args: list[str] | None = None) -> int:
    """Runs `command`; says what went wrong on stderr in one to ten lines; returns the exit code."""
    # Not click's own `main`: it answers a closed pipe with 1, which is the gate's code here.
    try:
        with command.make_context(program, sys.argv[1:] if args is None else list(args)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except VleBenchError as problem:
        say(str(problem))
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


def say(text: str) -> None:
    """One message for people, on stderr."""
    click.echo(text, err=True)


def progress(items: Iterable[T], *, total: int | None, what: str) -> Iterable[T]:
    """`items` behind a progress bar on stderr, shown only on a terminal."""
    if not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    return tqdm(items, total=total, desc=what, unit="", leave=False)


def _refused(problem: OSError) -> int:
    place = problem.filename or "the system"
    say(f"{place}: {problem.strerror or problem}.")
    missing = problem.errno in {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
    return EXIT_DATA if missing else EXIT_MACHINE


def _reader_left() -> int:
    # `vle-eval ... | head`: the reader has what it wanted. Python would complain once more
    # when it flushes stdout at exit, so stdout is pointed at nothing.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_OK
