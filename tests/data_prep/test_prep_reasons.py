"""Reasons: one table, in code and in words, and no dataset gives another one."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from prep_world import picture_bytes

import vle_bench.data_prep
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.picture import OTHER_NAME, BadPicture, oddities, probe
from vle_bench.data_prep.reasons import CLASSES, LOSSES, OTHER, class_of
from vle_bench.data_prep.run import Request, prepare
from vle_bench.shards.index import KINDS, read_skipped

DOCS = Path(__file__).parents[2] / "docs" / "reasons.md"
CODE = Path(vle_bench.data_prep.__file__).parent
EVERY = [reason for reasons in CLASSES.values() for reason in reasons]


def test_a_reason_stands_in_one_class():
    assert not [reason for reason, times in Counter(EVERY).items() if times > 1]


def test_the_table_for_people_is_the_table_of_the_code():
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", DOCS.read_text(), re.MULTILINE)
    shown = {name: tuple(reasons.split("; ")) for name, reasons in rows if name in CLASSES}
    assert shown == dict(CLASSES)


def test_every_reason_of_the_table_is_given_somewhere():
    """Also the other way round for pictures: what `probe` may say is in the table."""
    texts, raised = set(), set()
    for path in CODE.rglob("*.py"):
        if path.name == "reasons.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BadPicture":
                raised |= {one.value for one in node.args if isinstance(one, ast.Constant)}
    formats = {reason for reason in EVERY if reason.startswith("picture format ")}
    assert not {*EVERY, *LOSSES} - formats - texts
    assert all(rule in DOCS.read_text() for rule in LOSSES)
    assert not raised - set(EVERY)


def test_every_reason_that_the_code_names_is_in_the_table():
    """What stands last in a call of `skip` or `leave_out` is a reason, by its constant's name."""
    named = set()
    for path in CODE.rglob("*.py"):
        if path.name == "verify.py":
            continue  # its reasons are those of findings
        names = {
            one.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call | ast.Assign)
            for part in reasons_in(node)
            for one in ast.walk(part)
            if isinstance(one, ast.Name) and one.id.isupper()
        }
        if names:
            inside = path.relative_to(CODE).with_suffix("").parts
            module = import_module(".".join((vle_bench.data_prep.__name__, *inside)))
            named |= {getattr(module, name) for name in names}
    assert "region without phrase" in named
    assert named - set(EVERY) == set()


def reasons_in(node: ast.Call | ast.Assign) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        targets = [one.id for one in node.targets if isinstance(one, ast.Name)]
        return [node.value] if "reason" in targets else []
    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return node.args[-2:] if called in ("skip", "_skip", "leave_out", "_leave_out") else []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "zero-size"),
        (b"<!DOCTYPE html>", "not an image"),
        (b"\0" * 99, "not an image"),
        (b"\xff\xd8", "truncated"),
        (picture_bytes()[:-2], "truncated"),
        (picture_bytes(kind="PNG")[:-2], "truncated"),
        (picture_bytes(kind="WEBP")[:-2], "truncated"),
        (picture_bytes()[:4] + b"\0" * 99, "unreadable"),
        (picture_bytes(kind="GIF"), "unsupported format"),
        (picture_bytes(kind="BMP"), "unsupported format"),
        (picture_bytes(kind="TIFF"), "unsupported format"),
        (picture_bytes(kind="JPEG2000"), "unsupported format"),
    ],
)
def test_what_a_picture_file_may_be_has_a_class(data: bytes, expected: str):
    with pytest.raises(BadPicture) as told:
        probe(data)
    assert class_of(str(told.value)) == expected


@pytest.mark.parametrize(
    ("data", "found", "odd"),
    [
        (picture_bytes(), "jpg", ()),
        (picture_bytes(mode="CMYK"), "jpg", ("picture in CMYK",)),
        (picture_bytes(mode="L"), "jpg", ("picture in grey",)),
        (picture_bytes(mode="L", progressive=True), "jpg", ("picture in grey",)),
        (picture_bytes(kind="PNG"), "png", (OTHER_NAME,)),
        (picture_bytes(mode="RGBA", kind="PNG"), "png", (OTHER_NAME,)),
        (picture_bytes(mode="LA", kind="PNG"), "png", ("picture in grey", OTHER_NAME)),
        (picture_bytes(mode="P", kind="PNG"), "png", ("picture with a palette", OTHER_NAME)),
        (picture_bytes(mode="I;16", kind="PNG"), "png", ("picture in grey", OTHER_NAME)),
        (picture_bytes(kind="WEBP"), "webp", (OTHER_NAME,)),
    ],
)
def test_odd_colours_and_names_are_counted_and_the_content_decides_the_format(
    data: bytes, found: str, odd: tuple[str, ...]
):
    facts = probe(data)
    assert facts[:4] == (found, 64, 48, 1)
    assert oddities(facts, "a.jpg") == odd
    assert OTHER_NAME not in oddities(facts, f"a.{found.upper()}") + oddities(facts, "a.tsv#7")


@pytest.fixture(scope="module")
def hard(drawn_world) -> Path:
    return drawn_world(180, seed=3, hard=True)


PLANTED = {"cmyk": "picture in CMYK", "grey": "picture in grey", "png-named-jpg": OTHER_NAME}


def planted(hard: Path, name: str) -> Counter[str]:
    """How many accidents of each kind the world has in a dataset."""
    accidents = json.loads((hard / "sample_world.json").read_bytes())["accidents"]
    return Counter(one["kind"] for one in accidents if one["dataset"] == name)


@pytest.mark.parametrize("name", DATASETS.names())
def test_every_dataset_gives_reasons_of_the_table_and_its_books_balance(
    hard: Path, tmp_path: Path, name: str
):
    prepared = prepare(Request(dataset=name, raw=hard, out=tmp_path, workers=1))
    skipped = read_skipped(prepared.folder / "skipped.parquet")
    assert {class_of(row.reason) for row in skipped} - {OTHER}
    assert OTHER not in {class_of(row.reason) for row in skipped}
    adjusted = sum((Counter(s.adjusted) for s in prepared.report.splits.values()), Counter())
    spoiled = planted(hard, name)
    for kind, rule in PLANTED.items():
        assert adjusted[rule] >= spoiled[kind], (kind, adjusted)
    card = (prepared.folder / "README.md").read_text(encoding="utf-8")
    for split, report in prepared.report.splits.items():
        for kind in KINDS:
            counts = report.counts[kind]
            named = Counter(one.reason for one in skipped if (one.split, one.kind) == (split, kind))
            assert counts.read == counts.written + sum(counts.skipped.values())
            assert counts.skipped == dict(named)
            classes = Counter(
                class_of(one.reason) for one in skipped if (one.split, one.kind) == (split, kind)
            )
            assert counts.classes == dict(classes)
            assert all(f"| {class_of(one)} | {one} | " in card for one in counts.skipped)
