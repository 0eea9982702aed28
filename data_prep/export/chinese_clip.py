"""The layout of Chinese-CLIP and ERNIE-ViL 2.0: texts, base64 pictures, and LMDB stores of both.

`{split}_texts.jsonl`, `{split}_imgs.tsv`, `lmdb/{split}/imgs`, `lmdb/{split}/pairs`,
where val is called `valid`. Their scorers want ids that are whole numbers; where
a source has others, rows are numbered, and `{split}_keys.tsv` says which is which.
Source: https://github.com/OFA-Sys/Chinese-CLIP (cn_clip/preprocess/build_lmdb_dataset.py)
"""

from __future__ import annotations

import base64
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from vle_bench.console import progress
from vle_bench.data_prep.export.pickled_row import PairRow, UnsafeRow, decode_row, encode_row
from vle_bench.data_prep.export.stores import Entry, read_store, room_for, write_store
from vle_bench.data_prep.prepared import AnySample, Prepared
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.shards.read import SplitReader

_SPLITS = {"val": "valid"}
_IMAGES, _SAMPLES = b"num_images", b"num_samples"
_MOST_ID = (1 << 63) - 1
_LONGEST_ID = len(str(_MOST_ID))
_TEXT_ROOM = 128

Step = Callable[[], None]


def export_chinese_clip(datasets: Sequence[Prepared], folder: Path, step: Step) -> dict[str, Any]:
    """Writes one prepared dataset into `folder`.

    Args:
        datasets: The dataset; the layout has room for one.
        folder: An empty folder.
        step: Called after every picture.

    Returns:
        What each split holds.

    Raises:
        UsageProblem: More than one dataset.
        DataProblem: A shard is missing or damaged.
        MachineProblem: The disk refuses.
    """
    if len(datasets) > 1:
        names = ", ".join(one.report.dataset for one in datasets)
        raise UsageProblem(f"this layout holds one dataset, found {names}. Give one folder.")
    return {split: _export(datasets[0], split, folder, step) for split in datasets[0].splits}


def read_pairs(store: Path) -> Iterator[PairRow]:
    """The rows of a `pairs` store, also a stranger's: no pickle is ever loaded.

    Raises:
        DataProblem: A damaged store, or a value that is more than a tuple of ids and a text.
    """
    for key, value in read_store(store):
        if key == _SAMPLES:
            continue
        try:
            yield decode_row(value)
        except UnsafeRow as error:
            raise DataProblem(
                f"{store}: {key!r} holds {error}; a tuple of image id, text id and text was "
                "expected. Do not load this store with pickle."
            ) from error


def _export(dataset: Prepared, split: str, folder: Path, step: Step) -> dict[str, Any]:
    name = _SPLITS.get(split, split)
    with SplitReader(dataset.folder, split, hold=False) as reader:
        names = [row.image_id for row in reader.each_row()]
        ids = numbers_or_places(names)
        same = all(str(number) == own for number, own in zip(ids, names, strict=True))
        del names
        with (folder / f"{name}_keys.tsv").open("w", encoding="utf-8", newline="\n") as keys:
            keys.writelines(
                f"{number}\t{row.key}\n" for number, row in zip(ids, reader.each_row(), strict=True)
            )
        room = room_for(-(-row.image_size // 3) * 4 for row in reader.each_row())
        pictures = _pictures(reader, ids, folder / f"{name}_imgs.tsv", step)
        write_store(folder / "lmdb" / name / "imgs", pictures, map_size=room)
        own_ids, texts = _caption_ids(reader, len(ids))
        pairs = _pairs(reader, ids, own_ids, folder / f"{name}_texts.jsonl")
        room = room_for(_TEXT_ROOM for _ in range(texts // 8))
        write_store(folder / "lmdb" / name / "pairs", pairs, map_size=room)
    return {"images": len(ids), "texts": texts, "own_ids": same, "own_text_ids": own_ids}


def _pictures(reader: SplitReader, ids: Sequence[int], tsv: Path, step: Step) -> Iterator[Entry]:
    with tsv.open("wb") as stream:
        for number, row in zip(ids, reader.each_row(), strict=True):
            key, value = str(number).encode(), base64.b64encode(reader.picture(row))
            stream.write(key + b"\t" + value + b"\n")
            yield key, value
            step()
    yield _IMAGES, str(len(ids)).encode()


def _pairs(reader: SplitReader, ids: Sequence[int], own_ids: bool, jsonl: Path) -> Iterator[Entry]:
    places = count()
    written = 0
    with jsonl.open("wb") as stream:
        rows = progress(reader.each_row(), total=len(ids), what="texts")
        for image_id, row in zip(ids, rows, strict=True):
            for caption in reader.sample(row, AnySample).captions:
                place = next(places)
                text_id = int(caption.id) if own_ids else place
                line = {"text_id": text_id, "text": caption.text, "image_ids": [image_id]}
                stream.write(msgspec.json.encode(line) + b"\n")
                yield str(place).encode(), encode_row(image_id, text_id, caption.text)
                written += 1
    yield _SAMPLES, str(written).encode()


def numbers_or_places(ids: Sequence[str]) -> list[int]:
    """The ids as numbers where all are different numbers, else their places from 0.

    >>> numbers_or_places(["42", "7"]), numbers_or_places(["42", "a"]), numbers_or_places(["1"] * 2)
    ([42, 7], [0, 1], [0, 1])
    """
    if all(_is_number(one) for one in ids) and len(set(ids)) == len(ids):
        return [int(one) for one in ids]
    return list(range(len(ids)))


def _caption_ids(reader: SplitReader, total: int) -> tuple[bool, int]:
    """Whether the captions' own ids are different numbers, and how many captions there are.

    Args:
        reader: Of the split.
        total: Samples in it.
    """
    import numpy as np

    numbers = array("q")
    texts, usable = 0, True
    for row in progress(reader.each_row(), total=total, what="ids of texts"):
        for caption in reader.sample(row, AnySample).captions:
            texts += 1
            usable = usable and _is_number(caption.id)
            if usable:
                numbers.append(int(caption.id))
    usable = usable and len(np.unique(np.array(numbers, dtype=np.int64))) == texts
    return usable, texts


def _is_number(text: str) -> bool:
    """Whether a text is a number as it would be written again: no sign, no leading zero."""
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_ID:
        return False
    return str(int(text)) == text and int(text) <= _MOST_ID
