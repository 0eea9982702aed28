"""Lines of TOML values: whatever the layout, the line named is the one a person looks for."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.catalog.strict_toml import KeyPath
from vle_bench.catalog.toml_lines import line_of, locate


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, item in value.items():
            found |= paths_of(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            found |= paths_of(item, (*path, at))
    return found


def test_every_layout_of_a_table_is_followed() -> None:
    text = "\n".join(
        [
            "# a comment with [brackets] and = signs",  # 1
            "plain = 1",
            "'literal key' = 2",
            '"escaped \\u0041" = 3',
            "dotted . key = 4 # behind a value",  # 5
            "many = [",
            "  'one', # first, of two",
            '  "two",',
            "]",
            "inline = { a = 1, b = [2, 3], c = { d = 4 } }",  # 10
            'long = """',
            "[not.a.table]",
            "x = 1",
            '"""',
            "raw = '''",  # 15
            "it''s \"quoted\" [[no]]'''",
            "after = true",
            "[table.'sub table']",
            "deep = 1",
            "[[list]]",  # 20
            "n = 1",
            "[list.child]",
            "m = 2",
            "[[list]]",
            "n = 3",  # 25
            "[[list.grand]]",
            "k = 4",
        ]
    )
    lines = locate(text)
    assert paths_of(tomllib.loads(text)) <= set(lines)
    assert {path: lines[path] for path in lines if not isinstance(path[-1], int)} == {
        ("plain",): 2,
        ("literal key",): 3,
        ("escaped A",): 4,
        ("dotted",): 5,
        ("dotted", "key"): 5,
        ("many",): 6,
        ("inline",): 10,
        ("inline", "a"): 10,
        ("inline", "b"): 10,
        ("inline", "c"): 10,
        ("inline", "c", "d"): 10,
        ("long",): 11,
        ("raw",): 15,
        ("after",): 17,
        ("table",): 18,
        ("table", "sub table"): 18,
        ("table", "sub table", "deep"): 19,
        ("list",): 20,
        ("list", 0, "n"): 21,
        ("list", 0, "child"): 22,
        ("list", 0, "child", "m"): 23,
        ("list", 1, "n"): 25,
        ("list", 1, "grand"): 26,
        ("list", 1, "grand", 0, "k"): 27,
    }
    assert lines["many", 1] == 8
    assert lines["list", 1] == 24


@pytest.mark.parametrize("text", ["", "\n\n# nothing\n", "a = 1\r\nb = [\r\n1,\r\n]\r\n"])
def test_empty_files_and_windows_line_ends_are_read(text: str) -> None:
    assert paths_of(tomllib.loads(text)) == set(locate(text))


def test_windows_line_ends_count_once() -> None:
    assert locate("a = 1\r\nb = 2\r\n") == {("a",): 1, ("b",): 2}


def test_an_unknown_path_stands_where_its_table_stands() -> None:
    lines = {("a",): 3, ("a", 0): 4}
    assert line_of(lines, ("a", 0, "x")) == 4
    assert line_of(lines, ("a", 1)) == 3
    assert line_of(lines, ("b",)) == 1
    assert line_of(lines, ()) == 1


VALUES = st.sampled_from(
    [
        "1",
        "-2.5e3",
        "true",
        "1979-05-27 07:32:00",
        '"a # no comment"',
        "'[x]'",
        '""',
        '"\\"]\\\\"',
        "[]",
        "[1, [2, '}'], ]",
        "[\n 1, # one\n 2\n]",
        "{}",
        "{ x = 1, 'y z' = [{ w = 2 }] }",
        '"""\nline ""two""\n"""',
        '"""ends in a quote""""',
        "'''\n[no]\n'''",
    ]
)


@given(st.lists(VALUES, max_size=8), st.lists(st.sampled_from(["", "# note", "  "]), max_size=3))
def test_every_path_of_a_valid_document_has_the_line_its_key_stands_on(
    values: list[str], between: list[str]
) -> None:
    text = ""
    expected: dict[KeyPath, int] = {}
    for at, value in enumerate(values):
        text += "".join(f"{line}\n" for line in between)
        header = ("[[t]]", f"[u{at}]", "")[at % 3]
        text += f"{header}\n" if header else ""
        expected[f"k{at}",] = text.count("\n") + 1
        text += f"k{at} = {value}\n"
    lines = locate(text)
    assert paths_of(tomllib.loads(text)) <= set(lines)
    found = {path[-1]: line for path, line in lines.items() if str(path[-1]).startswith("k")}
    assert found == {path[-1]: line for path, line in expected.items()}
