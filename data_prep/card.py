"""`README.md`: the dataset card, for people and for `datasets.load_dataset(DIR)`.

Left alone, `datasets` guesses the columns from the first five samples: an empty
list there becomes a column of nulls that no later box fits into. So the card
names every column, made from the record's own types.
Card format: https://huggingface.co/docs/hub/datasets-cards
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator

import msgspec
from msgspec import inspect

from vle_bench.catalog.datasets import DatasetManifest
from vle_bench.data_prep.leaks.section import section
from vle_bench.data_prep.picture import ROTATED
from vle_bench.data_prep.reasons import class_of
from vle_bench.records import Sample
from vle_bench.shards.index import KINDS
from vle_bench.shards.report import Expectation, Report, SplitReport

_SCALARS = {
    inspect.StrType: "string",
    inspect.IntType: "int64",
    inspect.FloatType: "float64",
    inspect.BoolType: "bool",
}
_HEADS = {"image": "images", "question": "questions", "caption": "captions", "box": "boxes"}


def card_bytes(report: Report, manifest: DatasetManifest, record: type[Sample]) -> bytes:
    """The card of a prepared dataset.

    Args:
        report: Its books (`files` may still be empty).
        manifest: Licences, citations, title.
        record: The type of `KEY.json`.
    """
    lines = [
        "---",
        *_front_matter(report, manifest, record),
        "---",
        "",
        f"# {manifest.title}{' (sample world)' if report.sample else ''}",
        "",
        *_opening(report, manifest),
        "",
        *_counts(report),
        "",
        *section(report),
        *_shape(report),
        "",
        *_terms(report, manifest),
    ]
    return "\n".join((*lines, "")).encode("utf-8")


def features(record: type[Sample], endings: tuple[str, ...]) -> list[str]:
    """The columns as `dataset_info.features` of a card spells them, one line each."""
    lines = ["- name: __key__", "  dtype: string", "- name: __url__", "  dtype: string"]
    for ending in endings:
        lines += [f"- name: {ending}", "  dtype: image"]
    lines.append("- name: json")
    lines += [f"  {line}" for line in _typed(inspect.type_info(record))]
    return lines


def _typed(kind: inspect.Type) -> list[str]:
    """The type of a value, as the lines below its name."""
    scalar = _scalar(kind)
    if scalar:
        return [f"dtype: {scalar}"]
    if isinstance(kind, inspect.StructType):
        return ["struct:", *_fields(kind)]
    item = _item(kind)
    scalar = _scalar(item)
    if scalar:
        return [f"list: {scalar}"]
    if isinstance(item, inspect.StructType):
        return ["list:", *_fields(item)]
    return ["list:", *(f"  {line}" for line in _typed(item))]


def _fields(kind: inspect.StructType) -> list[str]:
    lines: list[str] = []
    for field in sorted(kind.fields, key=lambda field: field.encode_name):
        lines.append(f"- name: {field.encode_name}")
        lines += [f"  {line}" for line in _typed(field.type)]
    return lines


def _scalar(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.LiteralType):
        return "string"
    return _SCALARS.get(type(kind), "")


def _item(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return kind.item_type
    assert isinstance(kind, inspect.TupleType), f"no column is made of {kind}"
    return kind.item_types[0]


def _front_matter(report: Report, manifest: DatasetManifest, record: type[Sample]) -> Iterator[str]:
    yield f"pretty_name: {_quoted(manifest.title)}"
    tags = ["vision-language", "webdataset", *(["sample-world"] if report.sample else [])]
    yield f"tags: [{', '.join(tags)}]"
    filled = {name: split for name, split in report.splits.items() if split.shards}
    if not filled:
        return
    yield from ("configs:", "- config_name: default", "  data_files:")
    for name in filled:
        yield f"  - split: {name}"
        yield f"    path: {name}/*.tar"
    endings = tuple(sorted({e for split in filled.values() for e in split.picture_endings}))
    yield from ("dataset_info:", "  config_name: default", "  features:")
    yield from (f"  {line}" for line in features(record, endings))
    yield "  splits:"
    for name, split in filled.items():
        yield f"  - name: {name}"
        yield f"    num_bytes: {sum(shard.bytes for shard in split.shards)}"
        yield f"    num_examples: {sum(shard.samples for shard in split.shards)}"


def _opening(report: Report, manifest: DatasetManifest) -> Iterator[str]:
    if report.sample:
        yield "**Sample world: every picture here is drawn by a program. No number made from it"
        yield "says anything about the real data set.**"
        yield ""
    yield manifest.summary
    yield f"Official page: {manifest.homepage}"
    if "scheme" in report.parameters:
        yield f"Split by the scheme `{report.parameters['scheme']}`."


def _counts(report: Report) -> Iterator[str]:
    yield "## What is inside"
    yield ""
    yield "| split | shards | " + " | ".join(_HEADS[kind] for kind in KINDS) + " | left out |"
    yield "|---|---|" + "---|" * len(KINDS) + "---|"
    for name, split in report.splits.items():
        written = " | ".join(f"{split.counts[kind].written:,}" for kind in KINDS)
        left = sum(sum(counts.skipped.values()) for counts in split.counts.values())
        yield f"| {name} | {len(split.shards)} | {written} | {left:,} |"
    yield ""
    yield from _expected(report)
    yield from _reasons(report)
    yield "`report.json` has the books of every split, `skipped.parquet` names what was left out."
    warnings = [
        f"{name}: {text}" for name, split in report.splits.items() for text in split.warnings
    ]
    if warnings:
        yield ""
        yield from (f"- {warning}." for warning in warnings)


def _expected(report: Report) -> Iterator[str]:
    """What was read and written beside what is published, where anything is.

    A list that is whole and pictures that are gone are two things: only both numbers tell them.
    """
    rows = [
        f"| {name} | {one.what} | {one.expected:,} | {_found(split, one)} | {one.source} |"
        for name, split in report.splits.items()
        for one in split.expectations
    ]
    if rows:
        yield from (
            "| split | of | expected | read | written | by |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        )


def _found(split: SplitReport, one: Expectation) -> str:
    """Read and written, as two cells; of a part of a split only what was read is known."""
    read = [split.counts[kind].read for kind in KINDS if _HEADS[kind] == one.what]
    return f"{read[0]:,} | {one.found:,}" if read else f"{one.found:,} | -"


def _reasons(report: Report) -> Iterator[str]:
    """Why things were left out, and what was changed or is worth knowing; over all splits."""
    left = [
        f"| {_HEADS[kind]} | {class_of(reason)} | {reason} | {count:,} |"
        for kind in KINDS
        for reason, count in report.counts[kind].skipped.items()
        if count
    ]
    if left:
        yield from ("| left out | class | why | how many |", "|---|---|---|---|", *left, "")
    adjusted: Counter[str] = Counter()
    for split in report.splits.values():
        adjusted.update(split.adjusted)
    if adjusted:
        yield from ("| read, but | how often |", "|---|---|")
        yield from (f"| {rule} | {count:,} |" for rule, count in sorted(adjusted.items()))
        yield ""


def _shape(report: Report) -> Iterator[str]:
    yield "## How to read it"
    yield ""
    empty = [f"`{name}`" for name, split in report.splits.items() if not split.shards]
    if len(empty) == len(report.splits):
        yield "**No sample is in it, so there is no shard: `datasets.load_dataset(DIR)` finds"
        yield "no data and says so.** Where there are some:"
        yield ""
    elif empty:
        yield f"No sample is in {' and '.join(empty)}, which `datasets` therefore does not list."
        yield ""
    yield "`datasets.load_dataset(DIR)`, `webdataset.WebDataset` on `<split>/*.tar`, or `tar tf`."
    yield "One sample is one picture (`KEY.jpg`, original bytes) and `KEY.json` with everything"
    yield "known of it. Boxes are `[x, y, width, height]` in pixels of the matrix as stored."
    turned = sum(split.adjusted.get(ROTATED, 0) for split in report.splits.values())
    yield ""
    yield "**Readers that turn pictures by their EXIF mark on decoding move the pixels away from"
    yield "under the boxes.** Read the matrix as stored (Pillow does unless `exif_transpose` is"
    yield "called; OpenCV turns unless `IMREAD_IGNORE_ORIENTATION` is given), or turn the boxes"
    yield "too: `image.orientation` holds the mark."
    yield f"Pictures here with a mark other than 1: {turned:,}."


def _terms(report: Report, manifest: DatasetManifest) -> Iterator[str]:
    yield "## Licences and sources"
    yield ""
    if report.sample:
        yield "The sample world was drawn and written by VLE bench. For the real data set:"
        yield ""
    for licence in manifest.licences:
        address = f" ({licence.url})" if licence.url else ""
        unsure = "" if licence.verified == "yes" else " [not verified]"
        note = f"; {licence.note}" if licence.note else ""
        yield f"- {licence.covers}: {licence.name}{address}{note}{unsure}"
    yield ""
    yield from _licences(report)
    for citation in manifest.citations:
        yield f"- {citation.text}{f' ({citation.url})' if citation.url else ''}"


def _licences(report: Report) -> Iterator[str]:
    """How many pictures have which licence of their own."""
    found: Counter[str] = Counter()
    for split in report.splits.values():
        found.update(split.licences)
    if not any(found):
        yield "Its source names no licence of single pictures, so `image.licence` is empty."
    else:
        yield "Each picture's own licence stands in `image.licence`:"
        yield ""
        yield from ("| licence | pictures |", "|---|---|")
        for name, count in sorted(found.items(), key=lambda item: (-item[1], item[0])):
            yield f"| {_cell(name) or '(none named)'} | {count:,} |"
    yield ""


def _cell(text: str) -> str:
    r"""A stranger's words in a Markdown table: one line, no new column, no markup.

    >>> _cell("a|b\n<b>c</b>")
    'a\\|b &lt;b&gt;c&lt;/b&gt;'
    """
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return html.escape(plain, quote=False).replace("\\", "\\\\").replace("|", "\\|")


def _quoted(text: str) -> str:
    """A YAML string; JSON's form is one."""
    return msgspec.json.encode(text).decode("utf-8")
