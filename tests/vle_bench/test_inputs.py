import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vle_bench.errors import DataProblem
from vle_bench.inputs import (
    decode_json,
    open_source,
    read_array,
    read_json,
    read_json_lines,
    read_rows,
)
from vle_bench.inputs.npz import read_arrays

EXPECTED = "a list of rows"
ROWS = [{"id": 1, "x": "ü"}, {"id": 2, "x": "b"}]


def opened(folder: Path, data: bytes, **limits):
    path = folder / "input"
    path.write_bytes(data)
    return open_source(path, "predictions", **limits)


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), sink)
    return sink.getvalue()


FORMS = {
    "json": json.dumps(ROWS).encode(),
    "jsonl": b"\n".join(json.dumps(row).encode() for row in ROWS) + b"\n\n",
    "parquet": parquet_bytes(),
    "json with a byte order mark": b"\xef\xbb\xbf" + json.dumps(ROWS).encode(),
    "jsonl with blank lines": b"\n\n" + b"\n\n".join(json.dumps(row).encode() for row in ROWS),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packed", ["plain", "gzip", "zstd"])
def test_the_same_rows_come_out_of_every_form(tmp_path, form, packed):
    data = FORMS[form]
    if packed == "gzip":
        data = gzip.compress(data)
    if packed == "zstd":
        data = pa.Codec("zstd").compress(data).to_pybytes()
    rows = list(read_rows(opened(tmp_path, data), EXPECTED))
    assert [row.values for row in rows] == ROWS
    assert len({row.place for row in rows}) == 2


@pytest.mark.parametrize("separator", [",", "\t"])
def test_csv_values_stay_text_and_places_are_line_numbers(tmp_path, separator):
    text = f'id{separator}x\n1{separator}"ü"\n\n2{separator}b\n'
    rows = list(read_rows(opened(tmp_path, text.encode()), EXPECTED))
    assert [row.values for row in rows] == [{"id": "1", "x": "ü"}, {"id": "2", "x": "b"}]
    assert [row.place.rpartition(":")[2] for row in rows] == ["2", "4"]


def test_one_object_alone_is_one_row(tmp_path):
    rows = list(read_rows(opened(tmp_path, b'{"id": 1,\n "x": "y"}'), EXPECTED))
    assert [row.values for row in rows] == [{"id": 1, "x": "y"}]


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"  \n", "is empty"),
    "truncated": (b'[{"id": 1}', "ends in the middle"),
    "object where a list belongs": (b'{"id": 1', "ends in the middle"),
    "list of lists": (b"[[1]]", "Expected `object`, got `array`"),
    "nan": (b'[{"id": 1,\n "x": NaN}]', r"input:2: .*NaN and Infinity are not JSON"),
    "nested": (b"[" * 100_000, "Expected `object`, got `array`"),
    "nested objects": (b'[{"a":' + b'{"a":' * 100_000, "nested too deeply"),
    "cut gzip": (gzip.compress(b'[{"id": 1}]')[:-9], "damaged or cut short"),
    "flipped gzip": (gzip.compress(bytes(1000))[:12] + b"\xff" * 20, "damaged or cut short"),
    "cut zstd": (pa.Codec("zstd").compress(b"[1]" * 99).to_pybytes()[:-3], "damaged or cut short"),
    "cut parquet": (parquet_bytes()[:-9], "no readable Parquet"),
    "latin-1 parquet": (parquet_bytes().replace("ü".encode(), b"\xfc "), "no readable Parquet"),
    "short csv row": (b"id,x\n1\n", r"input:2: 1 fields, the header has 2"),
    "column twice": (b"id,id\n1,2\n", "a column name stands twice"),
    "open quote": (b'id,x\n1,"y', "unexpected end of data"),
    "latin-1 csv": (b"id,x\n1,\xff\n", "not UTF-8 text"),
    "an array": (b"\x93NUMPY\x01\x00", "an array file"),
    "latin-1 json": (b'[{"x":\n "\xff"}]', r"input:2: not UTF-8 text \(byte 9\)"),
    "half a pair": (
        b'[{"x":\n "\\ud83d"}]',
        r"input:2: half of a surrogate pair \(.ud83d\), .*9\)",
    ),
    "half a pair jsonl": (b'{"x": 1}\n{"x": "\\ude00"}\n', "input:2: half of a surrogate pair"),
    "utf-16 csv": ("id,x\n1,y\n".encode("utf-16"), "input: UTF-16 text, .* Save it as UTF-8"),
    "utf-16 json without a mark": ('[{"id": 1}]'.encode("utf-16-le"), "UTF-16 text"),
    "utf-16 jsonl, big end first": ('{"id": 1}'.encode("utf-16-be"), "UTF-16 text"),
    "latin-1 jsonl": (b'{"x": 1}\n{"x": "\xff"}\n{"x": 1}', "input:2: not UTF-8 text"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_are_named_with_what_was_expected(tmp_path, kind):
    data, message = BROKEN[kind]
    with pytest.raises(DataProblem, match=message):
        list(read_rows(opened(tmp_path, data), EXPECTED))


NO_TABLES = {
    "a page of HTML": (b"<html><body>404, not found</body></html>", "no column id, x"),
    "null": (b"null", "the line begins 'null'"),
    "a number": (b"12\n", "the line begins '12'"),
    "zero bytes": (bytes(99), "no column id, x"),
    "one column of two": (b"id,y\n1,2\n", "no column x; the line begins 'id,y'"),
}


@pytest.mark.parametrize("kind", NO_TABLES)
def test_text_without_the_needed_columns_is_no_table(tmp_path, kind):
    data, message = NO_TABLES[kind]
    with pytest.raises(DataProblem, match=message):
        list(read_rows(opened(tmp_path, data), EXPECTED, columns=("id", "x")))


def test_a_heading_alone_is_an_empty_table(tmp_path):
    assert list(read_rows(opened(tmp_path, b"x,id\n"), EXPECTED, columns=("id", "x"))) == []


def test_a_billion_equal_rows_in_a_few_bytes_are_refused_unread(tmp_path):
    sink = io.BytesIO()
    rows = 5_000_001
    equal = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), pa.array(["x"]))
    pq.write_table(pa.table({"id": equal}), sink)
    assert len(sink.getvalue()) < 20_000
    with pytest.raises(DataProblem, match="5,000,001 rows, at most 5,000,000 are read"):
        list(read_rows(opened(tmp_path, sink.getvalue()), EXPECTED))


def test_a_parquet_column_twice_is_refused(tmp_path):
    sink = io.BytesIO()
    table = pa.table({"id": [1], "x": ["yes"]}).append_column("x", pa.array(["no"]))
    pq.write_table(table, sink)
    with pytest.raises(DataProblem, match="a column name stands twice"):
        list(read_rows(opened(tmp_path, sink.getvalue()), EXPECTED))


def test_ten_broken_lines_are_named_at_once(tmp_path):
    data = b'{"id": 1}\n{"id": 2}\n' + b"{broken}\n" * 30
    with pytest.raises(DataProblem) as caught:
        list(read_json_lines(opened(tmp_path, data), dict[str, Any], EXPECTED))
    lines = str(caught.value).splitlines()
    assert len(lines) == 10
    assert ":3: " in lines[0]
    assert "more" in lines[-2]


def test_a_line_of_another_type_and_a_nested_one_are_named(tmp_path):
    deep = b'{"a":' * 100_000
    data = b'{"id": 1}\n{"id": 2}\n[1]\n' + deep + b"\n"
    with pytest.raises(DataProblem, match=r"(?s):3: Expected `object`.*:4: nested too deeply"):
        list(read_json_lines(opened(tmp_path, data), dict[str, Any], EXPECTED))


def test_a_small_file_cannot_fill_the_memory(tmp_path):
    with pytest.raises(DataProblem, match="unpacks to more than 1,000,000 bytes"):
        opened(tmp_path, gzip.compress(bytes(5_000_000)), most_bytes=1_000_000)
    packed = pa.Codec("zstd").compress(bytes(5_000_000)).to_pybytes()
    with pytest.raises(DataProblem, match="unpacks to more than"):
        opened(tmp_path, packed, most_bytes=1_000_000)


def test_typed_documents_name_the_path_of_a_wrong_value(tmp_path):
    class Row(msgspec.Struct):
        id: int

    with pytest.raises(DataProblem, match=r"at `\$\[1\]\.id`"):
        read_json(opened(tmp_path, b'[{"id": 1}, {"id": "a"}]'), list[Row], EXPECTED)
    assert decode_json(b'{"id": 3}', Row, "here", "a row").id == 3


def saved(array: np.ndarray, **kwargs) -> bytes:
    sink = io.BytesIO()
    np.save(sink, array, **kwargs)
    return sink.getvalue()


def test_arrays_are_read_and_never_unpickled(tmp_path):
    assert read_array(opened(tmp_path, saved(np.eye(2))), "scores").tolist() == [[1, 0], [0, 1]]
    pickled = saved(np.array([object()], dtype=object), allow_pickle=True)
    with pytest.raises(DataProblem, match="no plain array"):
        read_array(opened(tmp_path, pickled), "scores")


def test_a_header_that_promises_more_than_the_file_holds_is_refused(tmp_path):
    honest = saved(np.zeros(3))
    lying = honest.replace(b"(3,), }" + b" " * 12, b"(9000000000000,), }")
    assert lying != honest
    with pytest.raises(DataProblem, match="the header promises"):
        read_array(opened(tmp_path, lying), "scores")


def test_bytes_that_the_header_does_not_promise_are_damage(tmp_path):
    """One letter makes half as many bytes of the same shape; what is left over says so."""
    halved = saved(np.eye(3)).replace(b"<f8", b"<f4")
    with pytest.raises(DataProblem, match="the header promises 36 bytes, the file has 72"):
        read_array(opened(tmp_path, halved), "scores")


@pytest.mark.parametrize("sign", [0xD800, 0x110000, 0x7FFFFFFF])
@pytest.mark.parametrize("order", ["<", ">"])
def test_texts_of_signs_that_unicode_does_not_have_are_damage(tmp_path, sign, order):
    texts = np.array(["ab", "c"], dtype=f"{order}U2")
    texts.view(f"{order}u4")[1] = sign
    with pytest.raises(DataProblem, match="signs that Unicode does not have"):
        read_array(opened(tmp_path, saved(texts)), "ids")
    sound = np.array(["ab", "\U0010ffff"], dtype=f"{order}U2")
    assert read_array(opened(tmp_path, saved(sound)), "ids").tolist() == sound.tolist()


def test_damaged_arrays_are_named(tmp_path):
    with pytest.raises(DataProblem, match="no plain array"):
        read_array(opened(tmp_path, saved(np.eye(9))[:-8]), "scores")
    with pytest.raises(DataProblem, match="no plain array"):
        read_array(opened(tmp_path, saved(np.eye(9)).replace(b"}", b"{")), "scores")
    with pytest.raises(DataProblem, match="a csv file, expected scores"):
        read_array(opened(tmp_path, b"a,b\n"), "scores")


@pytest.mark.parametrize(
    "header", [b"-" * 9000 + b"1\n", b"(" * 9000, b"{'shape': (" + b"9" * 5000 + b",)}\n"]
)
def test_a_header_that_python_cannot_parse_is_damage_and_no_lack_of_memory(tmp_path, header):
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with pytest.raises(DataProblem, match="no plain array"):
        read_array(opened(tmp_path, data), "scores")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archives_packed_as_numpy_never_does_are_refused(tmp_path, method):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        archive.writestr("ids.npy", saved(np.arange(3)))
    with pytest.raises(DataProblem, match="ids is encrypted or packed as NumPy never does"):
        read_arrays(opened(tmp_path, sink.getvalue()), "features")


def test_two_arrays_of_one_name_are_refused(tmp_path):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("scores.npy", saved(np.eye(2)))
        archive.writestr("scores", saved(np.ones((2, 2))))
    with pytest.raises(DataProblem, match="two arrays are called scores"):
        read_arrays(opened(tmp_path, sink.getvalue()), "scores")


def test_an_encrypted_archive_is_refused(tmp_path):
    sink = io.BytesIO()
    np.savez(sink, ids=np.arange(3))
    data = bytearray(sink.getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag of the central directory
    with pytest.raises(DataProblem, match="ids is encrypted"):
        read_arrays(opened(tmp_path, bytes(data)), "features")


def test_archives_of_arrays(tmp_path):
    sink = io.BytesIO()
    np.savez(sink, ids=np.arange(3), features=np.ones((3, 2)))
    arrays = read_arrays(opened(tmp_path, sink.getvalue()), "features")
    assert sorted(arrays) == ["features", "ids"]
    with pytest.raises(DataProblem, match="damaged NPZ"):
        read_arrays(opened(tmp_path, sink.getvalue()[:-40]), "features")
    directory = sink.getvalue().index(b"PK\x01\x02")
    shifted = sink.getvalue()[: directory - 30] + sink.getvalue()[directory:]
    with pytest.raises(DataProblem, match="damaged NPZ"):
        read_arrays(opened(tmp_path, shifted), "features")
    with pytest.raises(DataProblem, match="a csv file"):
        read_arrays(opened(tmp_path, b"a,b"), "features")


def test_what_shrank_more_than_data_do_is_a_bomb(tmp_path, monkeypatch):
    packed = gzip.compress(bytes(5_000_000))
    assert len(opened(tmp_path, packed).data) == 5_000_000
    monkeypatch.setattr("vle_bench.inputs.bytes._HARMLESS", 1000)
    with pytest.raises(DataProblem, match=f"unpacks to more than {200 * len(packed):,} bytes"):
        opened(tmp_path, packed)


def test_an_archive_that_claims_to_unpack_to_terabytes_is_refused(tmp_path, monkeypatch):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(2_000_000))
    monkeypatch.setattr("vle_bench.inputs.bytes._HARMLESS", 1_000_000)
    with pytest.raises(DataProblem, match="unpacks to more than"):
        read_arrays(opened(tmp_path, sink.getvalue()), "features")
