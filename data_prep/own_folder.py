"""The folder of a prepared dataset holds that dataset and nothing else.

Shards never go among raw files, for some readers of those take every file they
find; nor into a folder that somebody else has filled, where `README.md` and its
like would be written over. Whose a folder is, is seen before a byte is written:
a run leaves its journal beside the dataset before it makes the first shard. Nor
do pages, lists and exports go into a prepared dataset, whose books know each file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from vle_bench.catalog.datasets import dataset_names, load_dataset_manifest
from vle_bench.data_prep.entries import is_folder
from vle_bench.data_prep.journal import FOLDER
from vle_bench.errors import DataProblem, UsageProblem, machine_errors, refuse_circle
from vle_bench.shards.layout import REPORT, SAMPLES, number_of
from vle_bench.shards.report import read_report

_MOST_NAMED = 3


def keep_apart(dataset: str, raw: Path, out: Path) -> None:
    """Checks that shards and what lies beside them would have a folder of their own.

    An output that was made before stays one, wherever it lies.

    Raises:
        UsageProblem: Shards would lie among raw files, in a prepared dataset, or among files of
            somebody else.
    """
    refuse_circle(out / dataset)
    here = out.resolve()
    among = raw.resolve() in (here, (out / dataset).resolve())
    if not among and not (out / FOLDER).is_dir():
        among = any(_lies_in(here, place) for place in _raw_folders(dataset, raw))
    if among:
        raise UsageProblem(
            f"--out {out}: raw files lie there, and {dataset} would be written among them. "
            "Give a folder of its own."
        )
    if not (out / FOLDER).is_dir():
        keep_out("--out", out)
    check_own(dataset, out)


def keep_out(option: str, path: Path) -> None:
    """Checks that what is to be written would not lie in a prepared dataset.

    Args:
        option: The option that names it, for people.
        path: The file or folder.

    Raises:
        UsageProblem: It would: verify calls it an extra file there, and repair exits with 1.
    """
    here = path.resolve()
    for folder in (here, *here.parents):
        if (folder / REPORT).is_file() and (folder / SAMPLES).is_file():
            raise UsageProblem(
                f"{option} {path}: lies in the prepared dataset {folder}, where vle-prep verify "
                "would call it an extra file. Choose a place beside it."
            )


def check_own(dataset: str, out: Path) -> None:
    """Checks that `out/<dataset>` holds nothing but what was made here.

    Raises:
        UsageProblem: It does.
    """
    folder = out / dataset
    if (out / FOLDER / dataset).is_dir() or not folder.is_dir() or has_report(folder):
        return
    refuse_strangers(dataset, _two_levels(folder), str(folder))


def refuse_strangers(dataset: str, names: Iterable[str], place: str) -> None:
    """Refuses a folder without journal and report that holds more than shards.

    Args:
        dataset: Whose shards.
        names: What is in the folder, as paths below it.
        place: The folder, for people.

    Raises:
        UsageProblem: One of the names is no shard of the dataset.
    """
    strange = sorted(name for name in names if not _may_be_ours(name, dataset))
    if strange:
        told = ", ".join(strange[:_MOST_NAMED]) + (", ..." if strange[_MOST_NAMED:] else "")
        raise UsageProblem(
            f"{place}: holds files ({told}), and no report or journal says they are ours. "
            f"{dataset} would be written among them: choose another --out, or move them away."
        )


def has_report(folder: Path) -> bool:
    """Whether a folder is a prepared dataset whose report can be read."""
    try:
        return (folder / REPORT).is_file() and bool(read_report(folder))
    except DataProblem:
        return False


def _raw_folders(dataset: str, raw: Path) -> Iterator[Path]:
    """Folders below RAW that may hold raw files: those of datasets and of the flat layout."""
    needs = load_dataset_manifest(dataset).needs
    flat = (need.path.partition("/")[0] for need in needs if "/" in need.path)
    return (raw / name for name in dict.fromkeys((*dataset_names(), *flat)))


def _lies_in(here: Path, place: Path) -> bool:
    """Whether a place is in a folder that holds anything; others are not looked into."""
    if not place.is_dir() or place.resolve() not in (here, *here.parents):
        return False
    with machine_errors(place):
        return any(place.iterdir())


def _two_levels(folder: Path) -> Iterator[str]:
    """What is in a folder and in the folders in it; none of an empty one."""
    with machine_errors(folder), os.scandir(folder) as entries:
        for entry in entries:
            if is_folder(entry):
                yield from (f"{entry.name}/{one.name}" for one in Path(entry.path).iterdir())
            else:
                yield entry.name


def _may_be_ours(name: str, dataset: str) -> bool:
    """Whether it is a shard in its place, or a name with a dot, which is nobody's data."""
    parts = name.split("/")
    if any(part.startswith(".") for part in parts):
        return True
    return len(parts) == 2 and number_of(parts[1], dataset=dataset, split=parts[0]) is not None
