"""Everything beside the shards: indexes, the dataset's own files, card, and last the report.

`report.json` vouches for the others by their sha256, so it is written after all
of them: a folder whose report is new has new files throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vle_bench.atomic import write_if_changed
from vle_bench.canonical import sha256_bytes, sha256_file
from vle_bench.catalog.datasets import load_dataset_manifest
from vle_bench.data_prep.card import card_bytes
from vle_bench.data_prep.croissant import croissant_bytes
from vle_bench.data_prep.datasets.base import Dataset
from vle_bench.data_prep.energon import INDEX_ENDING, TarOffsets, energon_files, tar_indexes
from vle_bench.data_prep.report import make_report
from vle_bench.data_prep.sidecars import split_sidecars
from vle_bench.errors import machine_errors
from vle_bench.shards.index import SampleRow, SkippedRow, write_samples, write_skipped
from vle_bench.shards.layout import CARD, CROISSANT, REPORT, SAMPLES, SKIPPED
from vle_bench.shards.report import Report, SplitReport, report_bytes


@dataclass(frozen=True)
class Beside:
    """What the files beside the shards are made from.

    Attributes:
        dataset: The dataset.
        sample: Whether its pictures are drawn.
        parameters: What changes bytes, by name.
        splits: The books of every split.
        rows: Every sample, in the order of splits and shards.
        skipped: Everything left out, in the order of splits.
        fresh: The splits just prepared.
        own: The dataset's own files, by path below its folder.
        kept: sha256 of files that belong to splits left alone, by path.
    """

    dataset: Dataset
    sample: bool
    parameters: Mapping[str, str | int]
    splits: Mapping[str, SplitReport]
    rows: Iterable[SampleRow]
    skipped: Iterable[SkippedRow]
    fresh: tuple[str, ...]
    own: Mapping[str, bytes] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)


def write_beside(folder: Path, content: Beside) -> Report:
    """Writes the files beside the shards of `folder`; those that would not change are left alone.

    Raises:
        MachineProblem: The disk refuses; what is there under a final name is whole.
    """
    offsets = TarOffsets()
    write_samples(folder / SAMPLES, offsets.noting(content.rows))
    write_skipped(folder / SKIPPED, content.skipped)
    files = {name: sha256_file(folder / name) for name in (SAMPLES, SKIPPED)} | {**content.kept}
    _put(folder, content.own, files)
    for split in content.fresh:
        shards = content.splits[split].shards
        _put(folder, split_sidecars(content.dataset.name, split, shards), files)
        _put(folder, tar_indexes(split, shards, offsets), files)
        _remove_indexes(folder, split, files)
    manifest = load_dataset_manifest(content.dataset.name)
    draft = _report(content, files)
    described = {
        CARD: card_bytes(draft, manifest, content.dataset.record),
        CROISSANT: croissant_bytes(draft, manifest, index_sha256=files[SAMPLES]),
    }
    _put(folder, {**described, **energon_files(draft)}, files)
    report = _report(content, files)
    write_if_changed(folder / REPORT, report_bytes(report))
    return report


def _put(folder: Path, contents: Mapping[str, bytes], files: dict[str, str]) -> None:
    """Writes the files and notes their digests in `files`."""
    for name, content in contents.items():
        write_if_changed(folder / name, content)
        files[name] = sha256_bytes(content)


def _remove_indexes(folder: Path, split: str, files: Mapping[str, str]) -> None:
    """Removes the indexes of shards that are no more."""
    for path in sorted((folder / split).glob(f"*.tar{INDEX_ENDING}")):
        if f"{split}/{path.name}" not in files:
            with machine_errors(path):
                path.unlink()


def _report(content: Beside, files: Mapping[str, str]) -> Report:
    return make_report(
        content.dataset.name,
        content.splits,
        sample=content.sample,
        parameters=content.parameters,
        files=files,
    )
