"""Lists out of JSON documents: equal to `json.loads` however small the window, and as strict."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.data_prep.archives import read_table
from vle_bench.data_prep.content import member_content
from vle_bench.errors import DataProblem
from vle_bench.inputs.content import Content, file_content
from vle_bench.inputs.json_cut import end_of_value, find_cut
from vle_bench.inputs.json_stream import JsonStream
from vle_bench.scratch import scratch_file

EXPECTED = "things"
MARKS = st.text(alphabet='{}[],:"\\ \n\tab\u00e9\u2028\U0001f600', max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | MARKS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MARKS, inner, max_size=4),
    max_leaves=12,
)
BLANK = st.text(alphabet=" \t\r\n", max_size=3)
WINDOWS = st.integers(1, 40)


class Thing(msgspec.Struct, frozen=True):
    id: int
    name: str = ""


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> str:
    """A value as JSON with drawn white space and drawn escapes."""
    if isinstance(value, list):
        return _joined(draw, "[]", [draw(spelled(one)) for one in value])
    if isinstance(value, dict):
        pairs = [
            f"{draw(spelled(name))}{draw(BLANK)}:{draw(BLANK)}{draw(spelled(one))}"
            for name, one in value.items()
        ]
        return _joined(draw, "{}", pairs)
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


def _joined(draw: st.DrawFn, brackets: str, parts: list[str]) -> str:
    inside = ",".join(f"{draw(BLANK)}{part}{draw(BLANK)}" for part in parts) or draw(BLANK)
    return f"{brackets[0]}{inside}{brackets[1]}"


def content_of(data: bytes | str) -> Content:
    stream = scratch_file()
    stream.write(data if isinstance(data, bytes) else data.encode())
    return Content(stream, "f.json", "")


def rows_of(data: Any, field: str = "things", kind: Any = Thing, window: int = 1 << 20, **options):
    text = data if isinstance(data, bytes | str) else json.dumps(data)
    stream = JsonStream(content_of(text), window=window)
    return [
        row for chunk in stream.rows(field, kind, expected=EXPECTED, **options) for row in chunk
    ]


def refused(data: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(DataProblem) as caught:
        rows_of(data, *arguments, **options)
    return str(caught.value)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.lists(VALUES, max_size=8), WINDOWS)
def test_a_list_read_in_windows_is_the_list(data: st.DataObject, rows: list[Any], window: int):
    text = data.draw(BLANK) + data.draw(spelled(rows)) + data.draw(BLANK)
    assert rows_of(text, "", Any, window) == json.loads(text) == rows


@settings(max_examples=40, deadline=None)
@given(st.data(), st.dictionaries(MARKS.filter(bool), VALUES, max_size=5), WINDOWS)
def test_any_list_of_an_object_is_found_in_any_order(
    data: st.DataObject, document: dict[str, Any], window: int
):
    document["things"] = data.draw(st.lists(VALUES, max_size=5))
    names = data.draw(st.permutations(list(document)))
    text = data.draw(spelled({name: document[name] for name in names}))
    stream = JsonStream(content_of(text), window=window)
    lists = [name for name in names if isinstance(document[name], list)]
    for name in data.draw(st.permutations([*lists, *lists])):
        whole = data.draw(st.booleans())
        chunks = stream.rows(name, Any, to_the_end=whole)
        assert [row for chunk in chunks for row in chunk] == document[name]


@settings(max_examples=40, deadline=None)
@given(st.data(), st.lists(VALUES, min_size=1, max_size=6), st.integers(0, 200))
def test_a_cut_stands_between_two_records_or_at_the_end(
    data: st.DataObject, rows: list[Any], length: int
):
    text = data.draw(spelled(rows)).encode()[1:]
    window = text[:length]
    at, end = find_cut(window)
    # The slow way: a comma cuts where what stands before it is a sound list.
    commas = (place for place in range(length) if window[place : place + 1] == b",")
    places = [place for place in commas if _sound(b"[%b]" % window[:place])]
    if len(window) == len(text):
        assert (at, end) == (-1, len(text) - 1)
    else:
        assert (at, end) == (max(places, default=-1), -1)


def _sound(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(st.data(), st.lists(VALUES, max_size=4) | st.dictionaries(MARKS, VALUES, max_size=4))
def test_a_value_ends_where_its_bracket_closes(data: st.DataObject, value: Any):
    text = data.draw(spelled(value)).encode()
    assert end_of_value(text + b" ]}") == len(text)
    assert end_of_value(text[:-1]) == -1


@settings(max_examples=40, deadline=None)
@given(st.data(), st.lists(VALUES, min_size=1, max_size=4), WINDOWS)
def test_a_document_cut_short_anywhere_is_refused(
    data: st.DataObject, rows: list[Any], window: int
):
    text = data.draw(spelled({"a": rows, "things": rows, "z": rows[0]})).encode()
    length = data.draw(st.integers(1, len(text) - 1))
    assert "f.json" in refused(text[:length], "things", Any, window)


def test_rows_come_in_the_order_of_the_file():
    rows = [{"id": number, "name": "}, {", "more": [[{}]]} for number in range(25_000)]
    document = {"info": {}, "things": rows, "tail": 1}
    assert rows_of(document) == [Thing(number, "}, {") for number in range(25_000)]


def test_a_list_may_be_left_in_the_middle_and_asked_for_again():
    stream = JsonStream(content_of(json.dumps({"a": list(range(99)), "b": [1]})), window=8)
    assert next(stream.rows("a", int)) == [0, 1, 2]
    assert [row for chunk in stream.rows("b", int) for row in chunk] == [1]
    assert [row for chunk in stream.rows("a", int) for row in chunk] == list(range(99))


def test_an_absent_field_is_an_error_unless_it_may_be_absent():
    assert "f.json: Object missing required field `things`. Expected things" in refused({"a": []})
    assert rows_of({"others": []}, required=False) == []


def test_a_field_that_stands_twice_is_refused():
    message = refused('{"things": [],\n "things": [{"id": 1}]}')
    assert "f.json:2: field `things` stands twice (byte 26)" in message


def test_of_a_key_that_stands_twice_in_a_record_the_last_counts_as_everywhere():
    text = '[{"id": 1, "name": "a", "id": 2}]'
    (chunk,) = JsonStream(content_of(text)).rows("", Thing)
    assert chunk == [Thing(json.loads(text)[0]["id"], "a")]


@pytest.mark.parametrize("window", [1, 16, 1 << 20])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "f.json: Expected `object`, got `array`"),
        ("7", "Expected `object`, got `int`"),
        ('{"things": {}}', "Expected `array`, got `object` - at `$.things`"),
        ('{"things": null}', "Expected `array`, got `null` - at `$.things`"),
        ('{"things": [{"id": 1}, {"id": "x"}]}', "got `str` - at `$.things[1].id`"),
        ('{"things": [{"id": 1},\n {"id": NaN}]}', "f.json:2: JSON is malformed: invalid"),
        ('{"things": [{"id": NaN}]}', "NaN and Infinity are not JSON"),
        ('{"a": NaN, "things": []}', "NaN and Infinity are not JSON"),
        ('{"things": [], "a": [1, nope]}', "(byte 25)"),
        ('{"things": [{"id": 1},]}', "a comma without a value (byte 22)"),
        ('{"things": [,{"id": 1}]}', "malformed"),
        ('{"things": [{"id": 1},,{"id": 2}]}', "malformed"),
        ('{"things": [{"id": 1} {"id": 2}]}', "malformed"),
        ('{"things": [{"id": 1}}', "malformed"),
        ('{"things": [],}', "trailing comma"),
        ('{"things": [] "a": 1}', "expected ',' or '}' (byte 14)"),
        ('{"things" []}', "expected ':' (byte 10)"),
        ('{"things": }', "expected a value (byte 11)"),
        ("{things: []}", "expected a field name in quotes (byte 1)"),
        ('{"things": []} []', "trailing characters (byte 15)"),
        ('{"things": [{"id": 1}], "a"', "ends in the middle (truncated file?)"),
        ('{"things": [{"id": 1}', "ends in the middle (truncated file?)"),
        ('{"things": [{"id": 1}, {"na', "ends in the middle (truncated file?)"),
        ('{"a": {"b": ', "ends in the middle (truncated file?)"),
        ('{"a": "b', "ends in the middle (truncated file?)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, words: str, window: int):
    message = refused(text, "things", Thing, window)
    assert words in message
    assert message.startswith("f.json:")
    assert message.endswith("Expected things.")


def test_text_that_is_no_utf8_is_told_with_its_line():
    message = refused(b'{"things": [{"id": 1},\n{"id": 2, "name": "\xff"}]}')
    assert "f.json:2: not UTF-8 text (byte 42)" in message


def test_names_and_values_of_the_document_that_are_no_utf8_are_told():
    assert "not UTF-8 text (byte 3)" in refused(b'{"a\xff": 1, "things": []}')
    found = JsonStream(content_of(b'{"things": [], "a": "b\xff"}'))
    list(found.rows("things", Thing))
    with pytest.raises(DataProblem, match=r"not UTF-8 text \(byte 22\)"):
        found.value("a", str, "")


@pytest.mark.parametrize("opening", [b'{"a": ', b'{"a": {"b": '])
@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_a_hundred_thousand_brackets_are_too_deep(opening: bytes, bracket: bytes):
    assert "f.json" in refused(opening + bracket * 100_000)
    assert "nested too deeply" in refused(opening + bracket * 100_000 + b"]" * 100_000)


def test_a_record_without_end_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr("vle_bench.inputs.json_stream.MOST_RECORD_BYTES", 4096)
    message = refused({"things": [{"id": 1, "name": "x" * 9000}]}, window=64)
    assert "f.json:1: a record larger than 4,096 bytes (byte 12)" in message
    assert len(rows_of({"things": [{"id": 1, "name": "x" * 2000}]}, window=64)) == 1


def test_packed_documents_are_read_as_plain_ones(tmp_path: Path):
    plain = b"\xef\xbb\xbf" + json.dumps({"things": [{"id": n} for n in range(9)]}).encode()
    (tmp_path / "a.json").write_bytes(plain)
    (tmp_path / "b.json").write_bytes(gzip.compress(plain))
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("c.json", plain)
    contents = [file_content(tmp_path / "a.json"), file_content(tmp_path / "b.json")]
    contents.append(member_content(read_table(tmp_path / "c.zip")[0]))
    for content in contents:
        chunks = JsonStream(content, window=16).rows("things", Thing)
        assert [row.id for chunk in chunks for row in chunk] == list(range(9))
    assert contents[0].sha256 == contents[2].sha256 != contents[1].sha256


def test_packed_documents_that_are_damaged_or_huge_are_refused(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_bytes(gzip.compress(bytes(100_000))[:-12])
    with pytest.raises(DataProblem, match=r"a\.json: compressed data is damaged or cut short"):
        file_content(path)
    path.write_bytes(gzip.compress(bytes(100_000)))
    with pytest.raises(DataProblem, match=r"a\.json: unpacks to more than 99,999 bytes"):
        file_content(path, most_bytes=99_999)
    path.write_bytes(b" \n" * 9)
    with pytest.raises(DataProblem, match=r"a\.json: the file of annotations is empty"):
        file_content(path)
