"""Lines read by the window are the lines of the file, or the file is unclear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vle_bench.errors import EmptyFile
from vle_bench.inputs import json_lines
from vle_bench.inputs.content import file_content
from vle_bench.inputs.json_lines import UnclearLines, every_line

VALUES = (
    st.integers(0, 10**9) | st.text(max_size=12) | st.dictionaries(st.text(max_size=2), st.none())
)
RECORDS = st.lists(
    st.dictionaries(st.text(max_size=3), VALUES, max_size=3), min_size=1, max_size=40
)
PIECES = st.sampled_from(
    [
        "{}",
        '{"a":1}',
        '{"a":{}}',
        '{"a":"}"}',
        '{"a":',
        "{",
        "}",
        '"b":2',
        ",",
        "\n",
        "\n",
        "\r\n",
        " ",
    ]
)


def read(path: Path) -> list[Any]:
    return [record for window in every_line(file_content(path), Any) for record in window]


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.integers(1, 64), st.booleans(), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_windows_of_any_size_give_every_record_once(
    tmp_path_factory, records, window, ended, marked, feed
):
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    text = feed.join(json.dumps(record, ensure_ascii=False) for record in records)
    path.write_bytes(("\ufeff" * marked + text + feed * ended).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "WINDOW", window)
        assert read(path) == records


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=14).map("".join), st.integers(1, 64))
@example('{"a":1}{\n"b":2}\n{}\n', 64)  # as many records as lines, and not one a line
@example("{}{}\n\n", 64)
@example('{"a":{}\n}{}\n', 64)
def test_what_is_read_is_one_object_a_line(tmp_path_factory, text, window):
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "WINDOW", window)
        try:
            found = read(path)
        except (UnclearLines, EmptyFile):
            return
    assert found == [json.loads(line) for line in text.removesuffix("\n").split("\n")]


@pytest.mark.parametrize(
    "text",
    [
        "{} {}\n",
        "{}\n\n{}\n",
        '{"a":\n2}\n',
        '{"a":{}\n}{}\n',
        "{}\n{\n",
        "{}\n\udcff\n",
        "[" * 20_000 + "\n",
        "1\n2\n",
    ],
)
def test_what_is_not_one_record_a_line_is_unclear(tmp_path, text):
    path = tmp_path / "a.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UnclearLines):
        read(path)


def test_a_line_without_end_is_not_read_for_ever(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'"' + b"x" * 5000 + b'"\n')
    monkeypatch.setattr(json_lines, "WINDOW", 64)
    monkeypatch.setattr(json_lines, "_LONGEST", 1024)
    with pytest.raises(UnclearLines, match="a line without an end"):
        read(path)
