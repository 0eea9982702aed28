"""Lists out of JSON documents, a chunk at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest

from vle_bench.data_prep.json_stream import stream_rows
from vle_bench.errors import DataProblem


class Thing(msgspec.Struct, frozen=True):
    id: int
    name: str = ""


def things(document: object, field: str = "things", **options: object) -> list[Thing]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    chunks: Iterator[list[Thing]] = stream_rows(data, field, Thing, place="f.json", **options)
    return [row for chunk in chunks for row in chunk]


def test_rows_come_in_the_order_of_the_file():
    rows = [{"id": number, "name": "}, {", "more": [[{}]]} for number in range(25_000)]
    assert things({"info": {}, "things": rows, "tail": 1}) == [
        Thing(number, "}, {") for number in range(25_000)
    ]


def test_a_document_that_is_a_list_has_no_field_name():
    assert things([{"id": 1}, {"id": 2}], "") == [Thing(1), Thing(2)]


def test_an_absent_field_is_an_error_unless_it_may_be_absent():
    with pytest.raises(DataProblem, match=r"f.json: .*missing required field `things`"):
        things({"others": []})
    assert things({"others": []}, required=False) == []
