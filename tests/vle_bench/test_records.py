import json

import msgspec
import pytest

from vle_bench.identity import id_order, id_text
from vle_bench.records import (
    Answer,
    BoxAnnotation,
    Caption,
    Picture,
    Question,
    Sample,
    VqaSample,
    as_builtins,
    sample_bytes,
    sample_from_bytes,
)

PICTURE = Picture(
    id="42", file_name="a.jpg", width=4, height=3, orientation=1, sha256="0" * 64, format="jpg"
)


def bare_sample() -> VqaSample:
    return VqaSample(key="vqav2-000000000042", dataset="vqav2", split="val", image=PICTURE)


def full_sample() -> VqaSample:
    return VqaSample(
        key="vqav2-000000000042",
        dataset="vqav2",
        split="val",
        image=PICTURE,
        captions=(Caption(id="1", text="Ein Hund 狗"),),
        boxes=(BoxAnnotation(id="7", xywh=(0.0, 1.0, 2.0, 2.5), label="dog", label_id=16),),
        questions=(
            Question(
                question_id=42000,
                question="What?",
                answers=(Answer(answer="dog", answer_confidence="yes", answer_id=1),),
                labels=(3,),
                scores=(0.3,),
            ),
        ),
    )


def test_a_sample_with_nothing_has_the_same_keys_as_one_with_everything():
    bare, full = (json.loads(sample_bytes(sample)) for sample in (bare_sample(), full_sample()))
    assert bare.keys() == full.keys()
    assert bare["image"].keys() == full["image"].keys()


def test_keys_are_sorted_and_text_is_utf8():
    data = sample_bytes(full_sample())
    assert "狗".encode() in data
    document = json.loads(data)
    assert list(document) == sorted(document)
    assert list(document["image"]) == sorted(document["image"])
    assert list(document["questions"][0]) == sorted(document["questions"][0])


def test_nothing_is_null():
    assert b"null" not in sample_bytes(bare_sample())
    assert b"null" not in sample_bytes(full_sample())


def test_a_sample_survives_the_way_there_and_back():
    assert sample_from_bytes(sample_bytes(full_sample()), VqaSample) == full_sample()


def test_keys_that_another_dataset_adds_are_tolerated():
    assert sample_from_bytes(sample_bytes(full_sample()), Sample).key == "vqav2-000000000042"


def test_a_wrong_type_is_refused():
    with pytest.raises(msgspec.ValidationError):
        sample_from_bytes(b'{"key":1}')


def test_records_do_not_change():
    with pytest.raises(AttributeError):
        PICTURE.width = 5  # type: ignore[misc]


def test_builtins_are_plain():
    assert as_builtins(Caption(id="1", text="x")) == {"id": "1", "text": "x"}


@pytest.mark.parametrize("value", [True, 1.0, None, "", [], {}])
def test_what_can_be_no_id_is_refused(value):
    with pytest.raises(ValueError, match="is no id"):
        id_text(value)


def test_an_id_longer_than_python_reads_numbers_sorts_as_text():
    assert sorted(["9" * 5000, "10", "9"], key=id_order) == ["9", "10", "9" * 5000]


def test_ids_sort_by_number_then_text():
    assert sorted(["val-10", "10", "9", "-3", "007"], key=id_order) == [
        "-3",
        "9",
        "10",
        "007",
        "val-10",
    ]
