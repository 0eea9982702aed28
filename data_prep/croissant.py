"""`croissant.json`: the dataset described for machines, every shard with its sha256.

Written by ourselves, because the library that reads it brings 170 MB along. A
reader that keeps to the format (mlcroissant does) refuses a shard whose bytes
are not those of its digest, without knowing anything of us. It holds neither
date nor place: the same dataset is the same document.
Format: https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vle_bench.canonical import pretty_json_bytes
from vle_bench.catalog.datasets import DatasetManifest
from vle_bench.shards.index import SampleRow
from vle_bench.shards.layout import JSON_ENDING, PICTURE_FORMATS, SAMPLES
from vle_bench.shards.report import Report

_CONFORMS = "http://mlcommons.org/croissant/1.0"
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_STEM = {"regex": r"^(.*)\.[a-z]+$"}


def croissant_bytes(report: Report, manifest: DatasetManifest, *, index_sha256: str) -> bytes:
    """The description of a prepared dataset.

    Args:
        report: Its books; shards and their digests are taken from it.
        manifest: Title, licences, citations.
        index_sha256: Digest of `samples.parquet`.
    """
    note = "Sample world: every picture is drawn by a program. " if report.sample else ""
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": report.dataset,
        "conformsTo": _CONFORMS,
        "description": f"{note}{manifest.summary}",
        "url": manifest.homepage,
        "license": _licences(manifest),
        "citeAs": " ".join(citation.text for citation in manifest.citations),
        "distribution": list(_distribution(report, index_sha256)),
        "recordSet": list(_record_sets(report)),
    }
    return pretty_json_bytes(document)


def _licences(manifest: DatasetManifest) -> list[str]:
    return [licence.url or f"{licence.covers}: {licence.name}" for licence in manifest.licences]


def _distribution(report: Report, index_sha256: str) -> Iterator[dict[str, Any]]:
    yield _file(SAMPLES, "application/x-parquet", index_sha256)
    places: list[dict[str, str]] = []
    for split, books in report.splits.items():
        for shard in books.shards:
            place = f"{split}/{shard.name}"
            places.append({"@id": place})
            yield _file(place, "application/x-tar", shard.sha256, size=shard.bytes)
    if places:
        endings = sorted({e for split in report.splits.values() for e in split.picture_endings})
        yield _file_set(
            "pictures", [f"*.{one}" for one in endings or PICTURE_FORMATS], "image/*", places
        )
        yield _file_set("records", [f"*.{JSON_ENDING}"], "application/json", places)


def _file(place: str, kind: str, sha256: str, *, size: int = -1) -> dict[str, Any]:
    described = {
        "@type": "cr:FileObject",
        "@id": place,
        "name": place,
        "contentUrl": place,
        "encodingFormat": kind,
        "sha256": sha256,
    }
    return described if size < 0 else {**described, "contentSize": f"{size} B"}


def _file_set(
    name: str, includes: list[str], kind: str, places: list[dict[str, str]]
) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "containedIn": places,
        "encodingFormat": kind,
        "includes": includes,
    }


def _record_sets(report: Report) -> Iterator[dict[str, Any]]:
    names = SampleRow.__annotations__
    yield _record_set(
        "index",
        "One row per sample: where it lies, its digest, its size, what it holds.",
        [
            _field(
                "index",
                name,
                "sc:Integer" if kind == "int" else "sc:Text",
                {"fileObject": {"@id": SAMPLES}, "extract": {"column": name}},
            )
            for name, kind in names.items()
        ],
    )
    if any(split.shards for split in report.splits.values()):
        yield _record_set(
            "picture",
            "The original bytes of each picture.",
            _contents("picture", "pictures", "sc:ImageObject"),
        )
        yield _record_set(
            "record", "KEY.json of each sample, as text.", _contents("record", "records", "sc:Text")
        )


def _contents(record_set: str, file_set: str, kind: str) -> list[dict[str, Any]]:
    files = {"@id": file_set}
    return [
        _field(
            record_set,
            "key",
            "sc:Text",
            {"fileSet": files, "extract": {"fileProperty": "filename"}, "transform": _STEM},
        ),
        _field(
            record_set, "content", kind, {"fileSet": files, "extract": {"fileProperty": "content"}}
        ),
    ]


def _record_set(name: str, description: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        "key": {"@id": f"{name}/key"},
        "field": fields,
    }


def _field(record_set: str, name: str, kind: str, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": name,
        "dataType": kind,
        "source": source,
    }
