"""The line that says how a number was made, short enough for a table's footnote.

The habit is sacreBLEU's (Post 2018): everything that can move the number is in
the signature, so two numbers with one signature may be compared.
"""

from __future__ import annotations

from collections.abc import Iterable

from vle_bench import __version__

_SEPARATORS = "|:"


def signature_line(task: str, parts: Iterable[tuple[str, str]]) -> str:
    """Joins the parts in the order given and ends with our version, all of it one line.

    >>> signature_line("vqa", [("data", "vqav2"), ("split", "val")]).rpartition("|v:")[0]
    'vqa|data:vqav2|split:val'
    """
    fields = [f"{key}:{_plain(value)}" for key, value in parts]
    return "|".join([task, *fields, f"v:{__version__}"])


def signature_parts(line: str) -> dict[str, str]:
    """The parts of a signature by their keys, without the task.

    >>> signature_parts("vqa|data:vqav2|n:4")
    {'data': 'vqav2', 'n': '4'}
    """
    parts = (part.partition(":") for part in line.split("|")[1:])
    return {key: value for key, _, value in parts}


def interval_part(unit: str, resamples: int, seed: int) -> tuple[str, str]:
    """How intervals were made.

    >>> interval_part("image", 10000, 0)
    ('ci', 'image-10000-s0')
    """
    return ("ci", f"{unit}-{resamples}-s{seed}" if resamples else "none")


def _plain(value: str) -> str:
    return "".join(
        character if character.isprintable() and character not in _SEPARATORS else "_"
        for character in value
    )
