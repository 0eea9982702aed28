"""The strict reader: each way a manifest can be wrong, and the very words that say so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from vle_bench.catalog.files import user_file
from vle_bench.catalog.strict_toml import Reading, read_toml
from vle_bench.errors import DataProblem


class Leaf(msgspec.Struct, frozen=True):
    name: str
    size: int = 0

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size may not be negative")


class Tree(msgspec.Struct, frozen=True):
    title: str
    kind: Literal["oak", "elm"] = "oak"
    height: float | None = None
    alive: bool = True
    leaves: tuple[Leaf, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: Mapping[str, str] = msgspec.field(default_factory=dict)
    best: Leaf | None = None
    rings: Annotated[int, msgspec.Meta(ge=1)] = 1


def read(folder: Path, text: str) -> Reading[Tree]:
    path = folder / "t.toml"
    path.write_text(text, encoding="utf-8")
    return read_toml(user_file(path), Tree)


def problem(folder: Path, text: str) -> list[str]:
    with pytest.raises(DataProblem) as caught:
        read(folder, text)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_a_right_file_becomes_frozen_records(tmp_path: Path) -> None:
    tree = read(
        tmp_path,
        'title = "T"\nkind = "elm"\nheight = 3\nrows = [["a"], []]\nnotes = { x = "y" }\n'
        '[best]\nname = "b"\n[[leaves]]\nname = "l"\nsize = 2\n',
    ).record
    assert tree == Tree(
        title="T",
        kind="elm",
        height=3.0,
        rows=(("a",), ()),
        notes={"x": "y"},
        best=Leaf("b"),
        leaves=(Leaf("l", 2),),
    )
    with pytest.raises(TypeError):
        tree.notes["x"] = "z"  # type: ignore[index]  # the point of the test


def test_a_reading_knows_where_its_parts_stand(tmp_path: Path) -> None:
    places = read(tmp_path, '# head\ntitle = "T"\n[[leaves]]\nname = "l"\n').places
    assert places.of("leaves", 0, "name") == f"{tmp_path}/t.toml:4"
    assert places.of("leaves", 0, "size") == f"{tmp_path}/t.toml:3"
    assert places.of() == f"{tmp_path}/t.toml:1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 't.toml:1: the key "title" is missing'),
        ("title = 1", "t.toml:1: title: expected str, found 1"),
        ("\ntitle = [1]", "t.toml:2: title: expected str, found an array"),
        ("title = { a = 1 }", "t.toml:1: title: expected str, found a table"),
        ('title = "T"\nalive = "yes"', 't.toml:2: alive: expected bool, found "yes"'),
        ('title = "T"\nheight = true', "t.toml:2: height: expected float, found true"),
        ('title = "T"\nkind = "ash"', 't.toml:2: kind: expected one of oak, elm, found "ash"'),
        ('title = "T"\nrings = 0', "t.toml:2: rings: expected int >= 1, found 0"),
        ('title = "T"\nleafs = 1', 't.toml:2: leafs: unknown key. Did you mean "leaves"?'),
        (
            'title = "T"\n[[leaves]]\nname = "l"\nqqq = 1',
            "t.toml:4: leaves[0].qqq: unknown key. Known here: name, size.",
        ),
        ('title = "T"\nleaves = 1', "t.toml:2: leaves: expected an array, found 1"),
        ('title = "T"\nleaves = [1]', "t.toml:2: leaves[0]: expected a table, found 1"),
        ('title = "T"\nnotes = 1', "t.toml:2: notes: expected a table, found 1"),
        ('title = "T"\nnotes = { a = 1 }', "t.toml:2: notes.a: expected str, found 1"),
        (
            'title = "T"\n[[leaves]]\nname = "l"\n[[leaves]]\nsize = 1',
            't.toml:4: leaves[1]: the key "name" is missing',
        ),
        (
            'title = "T"\n[best]\nname = "b"\nsize = -1',
            "t.toml:2: best: size may not be negative",
        ),
        (
            'title = "T"\nrings = "' + "r" * 70 + '"',
            f't.toml:2: rings: expected int, found "{"r" * 59}...',
        ),
    ],
)
def test_each_mistake_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert problem(tmp_path, text) == [said, "Correct the file and run again."]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = 'titel = "T"\nkind = 2\n[[leaves]]\nsize = "big"\nname = "l"\n'
    assert problem(tmp_path, text) == [
        't.toml:1: titel: unknown key. Did you mean "title"?',
        't.toml:1: the key "title" is missing',
        "t.toml:2: kind: expected one of oak, elm, found 2",
        't.toml:4: leaves[0].size: expected int, found "big"',
        "Correct the file and run again.",
    ]


def test_more_than_ten_mistakes_are_counted(tmp_path: Path) -> None:
    lines = problem(tmp_path, 'title = "T"\n' + "".join(f"q{n} = 1\n" for n in range(30)))
    assert len(lines) == 10
    assert lines[-2:] == ["... and 22 more.", "Correct the file and run again."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "t.toml:1: not TOML: Invalid value."),
        ('a = 1\na = 2\ntitle = "T"', "t.toml:2: not TOML: Cannot overwrite a value."),
        ('a = 1\ntitle = """', "t.toml:2: not TOML: "),
    ],
)
def test_broken_toml_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (line,) = problem(tmp_path, text)
    assert line.startswith(said)
    assert line.endswith(". Correct the file and run again.")


def test_a_number_too_long_to_be_read_is_refused(tmp_path: Path) -> None:
    (line,) = problem(tmp_path, "title = " + "1" * 5000)
    assert line.startswith("t.toml: not TOML: Exceeds the limit")


def test_a_hundred_thousand_brackets_are_refused_without_a_traceback(tmp_path: Path) -> None:
    assert problem(tmp_path, "title = " + "[" * 100_000) == [
        "t.toml: nested too deeply to be read."
    ]
