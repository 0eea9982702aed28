"""The JSON Schemas: valid themselves, obeyed by our writers, and able to refuse."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from referencing import Registry, Resource

from vle_bench.catalog.schemas import load_schema, schema_names
from vle_bench.errors import UsageProblem
from vle_bench.records import (
    Answer,
    BoxAnnotation,
    Caption,
    Picture,
    Question,
    Sample,
    VcrItem,
    VcrObject,
    VcrSample,
    VcrToken,
    VqaSample,
    sample_bytes,
)
from vle_bench.results.document import (
    Metric,
    PublishedLine,
    References,
    ResultDocument,
    Stamp,
    document_bytes,
)

PICTURE = Picture(
    id="42",
    file_name="COCO_val2014_000000000042.jpg",
    width=640,
    height=480,
    orientation=1,
    sha256="0" * 64,
    format="jpg",
    coco_id="42",
)
BARE = VqaSample(key="vqav2-000000000042", dataset="vqav2", split="val", image=PICTURE)
FULL = msgspec.structs.replace(
    BARE,
    captions=(Caption(id="7", text="A shoe."),),
    boxes=(
        BoxAnnotation(id="9", xywh=(1.0, 2.0, 3.5, 4.0), label="person", label_id=0),
        BoxAnnotation(id="", xywh=(0.0, 0.0, 0.0, 0.0), kind="crowd"),
    ),
    questions=(
        Question(
            question_id=42000,
            question="What color?",
            answer_type="other",
            answers=(
                Answer(answer="white", answer_confidence="yes", answer_id=1),
                Answer(answer=""),
            ),
            labels=(3,),
            scores=(0.3,),
        ),
        Question(question_id=42001, question="", test_dev=True),
    ),
)
RESULT = ResultDocument(
    task="vqa",
    dataset="vqav2",
    split="val",
    model="M",
    sample=False,
    protocol="official",
    signature="vqa|data:vqav2",
    metrics={
        "accuracy": Metric(value=64.11, n=10, low=60.0, high=70.0),
        "accuracy[question_type=how many]": Metric(value=0.0, n=0),
    },
    published=(
        PublishedLine(
            model="VLE-base",
            metric="accuracy",
            dataset="vqav2",
            split="test-dev",
            setting="finetuned",
            value="77.6",
            verified="yes",
            source="S",
            comparable=False,
            why="split: test-dev, ours is val",
        ),
    ),
    references=References(path="a.json", sha256="0" * 64),
    stamp=Stamp(inputs={"a.json": "0" * 64}, package="0.1.0", git="", created=""),
)
WORLD = {
    "seed": 0,
    "images": 60,
    "accidents": [{"kind": "empty", "dataset": "coco", "file": "coco/x.jpg", "id": "1"}],
    "shared": [
        {
            "picture": "p1",
            "corpus": "vg",
            "corpus_id": "1",
            "evaluation": "coco",
            "evaluation_split": "test",
            "evaluation_id": "2",
            "how": "coco_id",
        }
    ],
}


def registry() -> Registry[Any]:
    schemas = [load_schema(name) for name in schema_names()]
    return Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas
    )


def errors(name: str, value: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(load_schema(name), registry=registry())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def plain(sample: Sample) -> Any:
    return json.loads(sample_bytes(sample))


def changed(value: Any, path: str, new: Any) -> Any:
    """A deep copy of `value` with one key changed; `...` removes it."""
    copy = json.loads(json.dumps(value))
    *parents, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    inner = copy
    for key in parents:
        inner = inner[key]
    if new is ...:
        del inner[last]
    else:
        inner[last] = new
    return copy


def test_the_schemas_are_those_of_the_contract() -> None:
    assert {"coco", "result", "sample", "sample_world", "vcr", "vg", "vqav2"} <= set(schema_names())


@pytest.mark.parametrize("name", schema_names())
def test_each_schema_is_a_valid_schema_with_its_own_name(name: str) -> None:
    schema = load_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:vle-bench:schema:{name}"


def test_an_unknown_schema_is_wrong_usage() -> None:
    with pytest.raises(UsageProblem, match=r"bogus: no such schema\. Known: "):
        load_schema("bogus")


@pytest.mark.parametrize("sample", [BARE, FULL], ids=["bare", "full"])
def test_an_encoded_sample_obeys_its_schemas(sample: VqaSample) -> None:
    assert errors("sample", plain(sample)) == []
    assert errors("vqav2", plain(sample)) == []


def test_bare_and_full_samples_have_the_same_keys() -> None:
    assert plain(BARE).keys() == plain(FULL).keys()
    required = set(load_schema("sample")["required"]) | set(load_schema("vqav2")["required"])
    assert set(plain(BARE)) == required


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("key", "vqav2.42"),
        ("key", "VQAV2-000000000042"),
        ("dataset", "coco"),
        ("captions", None),
        ("questions", ...),
        ("image/width", 0),
        ("image/width", "640"),
        ("image/orientation", 9),
        ("image/sha256", ""),
        ("image/format", "jpeg"),
        ("image/coco_id", None),
        ("image/coco_id", ...),
        ("image/extra", 1),
        ("captions/0/id", 7),
        ("boxes/0/xywh", [1, 2, 3]),
        ("boxes/0/label_id", None),
        ("boxes/0/kind", "thing"),
        ("boxes/0/phrase", ...),
        ("questions/0/question_id", "42000"),
        ("questions/0/answer_type", "yesno"),
        ("questions/0/answers/0/answer_id", "1"),
        ("questions/0/labels", [1, 1]),
        ("questions/0/scores", [0]),
        ("questions/0/test_dev", ...),
    ],
)
def test_a_sample_that_breaks_the_promise_is_refused(path: str, new: Any) -> None:
    assert errors("vqav2", changed(plain(FULL), path, new))


def test_a_dataset_may_add_keys_of_its_own() -> None:
    assert errors("sample", changed(plain(FULL), "regions_seen", 3)) == []


def test_a_vcr_sample_has_items_without_the_keys_that_tell_the_answer() -> None:
    sentence = (VcrToken(text="Is"), VcrToken(objects=(0,)), VcrToken(text="glad"))
    asked = VcrItem(
        annot_id="val-1",
        question=sentence,
        answer_choices=(sentence,) * 4,
        rationale_choices=(sentence,) * 4,
        answer_label=2,
        rationale_label=0,
    )
    record = VcrSample(
        key="vcr-val-0",
        dataset="vcr",
        split="val",
        image=PICTURE,
        objects=(VcrObject(name="person", score=0.9),),
        items=(asked,),
    )
    whole = plain(record)
    (item,) = whole["items"]
    assert errors("vcr", whole) == []
    assert errors("vcr", plain(Sample(key="vcr-val-0", dataset="vcr", split="val", image=PICTURE)))
    assert errors("vcr", whole | {"items": [item | {"answer_match_iter": [0, 1, 2, 3]}]})
    assert errors("vcr", whole | {"items": [item | {"answer_label": 4}]})
    assert errors("vcr", whole | {"items": [item | {"question": ["Is", [0], "glad"]}]})
    assert errors("vcr", whole | {"items": [item | {"answer_choices": [[], [], []]}]})


def test_an_encoded_result_obeys_its_schema() -> None:
    assert errors("result", json.loads(document_bytes(RESULT))) == []


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("schema", "vle-bench/result/2"),
        ("metrics/accuracy/value", None),
        ("metrics/accuracy/low", "60"),
        ("metrics/Accuracy", {"value": 1, "n": 1, "low": None, "high": None}),
        ("published/0/value", 77.6),
        ("published/0/why", ""),
        ("published/0/comparable", True),
        ("references/sha256", "abc"),
        ("stamp/created", ...),
        ("signature", ""),
    ],
)
def test_a_result_that_breaks_the_promise_is_refused(path: str, new: Any) -> None:
    assert errors("result", changed(json.loads(document_bytes(RESULT)), path, new))


def test_a_sample_world_list_obeys_its_schema() -> None:
    assert errors("sample_world", WORLD) == []
    assert errors("sample_world", changed(WORLD, "shared/0/how", "luck"))
    assert errors("sample_world", changed(WORLD, "accidents/0/id", 1))
    assert errors("sample_world", changed(WORLD, "accidents", ...))
