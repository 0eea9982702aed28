"""Lines read by the window are the lines of the file, or the file is unclear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.inputs import json_lines
from vle_bench.inputs.content import file_content
from vle_bench.inputs.json_lines import UnclearLines, every_line

RECORDS = st.lists(st.integers(0, 10**9) | st.text(max_size=12), min_size=1, max_size=40)


def read(path: Path) -> list[Any]:
    return [record for window in every_line(file_content(path), Any) for record in window]


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.integers(1, 64), st.booleans(), st.booleans())
def test_windows_of_any_size_give_every_record_once(
    tmp_path_factory, records, window, ended, marked
):
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    text = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    path.write_text("\ufeff" * marked + text + "\n" * ended, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "WINDOW", window)
        assert read(path) == records


@pytest.mark.parametrize(
    "text", ["1 2\n", "1\n\n2\n", "[1,\n2]\n", "1\n{\n", "1\n\udcff\n", "[" * 20_000 + "\n"]
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
