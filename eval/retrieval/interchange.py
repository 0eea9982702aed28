"""The files of ERNIE-ViL 2.0 and Chinese-CLIP, written as their own programs write them.

References turned round (`transform_ir_annotation_to_tr.py`), lists of ten
(`make_topk_predictions*.py`), features (`extract_features.py`) and the score of one
direction (`evaluation.py`, `evaluation_tr.py`). Their scores are `hits / queries * 100`,
one operation after the other, whose last digit differs from 100 times the hits:
97.89999999999999.
Source: PaddleNLP model_zoo/ernie-vil2.0, OFA-Sys/Chinese-CLIP (commit 31863c70).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vle_bench.atomic import replacing, write_together
from vle_bench.console import say
from vle_bench.errors import UsageProblem
from vle_bench.eval.references import canonical_split
from vle_bench.eval.requests import RetrievalRequest
from vle_bench.eval.retrieval.formats import read_texts
from vle_bench.eval.retrieval.gold import NONE, Direction, Gold, TextRow
from vle_bench.eval.retrieval.lists import LIST_KEYS
from vle_bench.eval.retrieval.outcome import RECALLS, Outcome
from vle_bench.eval.retrieval.similarity import FeatureSimilarity, Flags, Side, WithAbsent
from vle_bench.eval.retrieval.task import ScoredRetrieval
from vle_bench.inputs import open_source

_MARKS: Mapping[Direction, str] = {"i2t": "tr_", "t2i": ""}
_THEIR_SPLITS = {"val": "valid", "": "test"}
_PERCENT = 100
_ROWS = 1024


def turned_references(path: Path, split: str = "") -> tuple[bytes, int, int]:
    """Text-to-image references as image-to-text ones, and how many pictures and pairs they hold.

    Pictures stand in the order of their first appearance; one without text does not appear, so
    it is no query of image-to-text retrieval. A picture that a text names twice is kept twice.

    Args:
        path: Chinese-CLIP texts, COCO captions or a Karpathy file.
        split: The split wanted of a Karpathy file; "" for its test split.

    Raises:
        DataProblem: No such file, broken, or a text twice.
    """
    source = open_source(path, "retrieval references")
    texts = read_texts(source, canonical_split(split)).texts
    lists = turned(texts)
    pairs = sum(len(found) for found in lists.values())
    return _lines(LIST_KEYS["i2t"], lists.items()), len(lists), pairs


def turned(texts: Sequence[TextRow]) -> dict[str, list[str]]:
    """The texts of each picture.

    >>> turned([TextRow("7", ("b",), 1), TextRow("8", ("a", "b"), 1), TextRow("9", (), 1)])
    {'b': ['7', '8'], 'a': ['8']}
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        for image in text.image_ids:
            found.setdefault(image, []).append(text.text_id)
    return found


def write_interchange(
    scored: ScoredRetrieval,
    *,
    score_json: Path | None = None,
    lists: Path | None = None,
    features: Path | None = None,
) -> None:
    """Writes a scored run as their programs would.

    Args:
        scored: The run.
        score_json: Where the score JSON is to lie; None for none.
        lists: Folder of the lists of ten; None for none.
        features: Folder of the features of both sides; None for none.

    Raises:
        MachineProblem: They cannot be written.
        UsageProblem: Features of a run that was not scored from features.
    """
    files: dict[Path, bytes] = {}
    if score_json is not None:
        files |= score_documents(scored.outcomes, score_json)
    if lists is not None:
        made = list_files(scored.outcomes, scored.gold, scored.references.split)
        files |= {lists / name: data for name, data in made.items()}
    write_together(files)
    written = [*files, *(_write_features(scored, features) if features is not None else ())]
    for path in written:
        say(f"Written: {path}")


def refuse_without_features(request: RetrievalRequest) -> None:
    """Features can be written only where they were read.

    Raises:
        UsageProblem: The request names none.
    """
    if not (request.image_features and request.text_features):
        raise UsageProblem(
            "--feature-lines writes features. Give --image-features F --text-features F."
        )


def _write_features(scored: ScoredRetrieval, folder: Path) -> list[Path]:
    """`SPLIT_imgs.img_feat.jsonl` and `SPLIT_texts.txt_feat.jsonl`, a line at a time."""
    found = scored.similarity
    there: dict[Side, Flags] = {}
    if isinstance(found, WithAbsent):
        there = {"image": found.images, "text": found.texts}
        found = found.inner
    if not isinstance(found, FeatureSimilarity):
        raise TypeError("the run was not scored from features")
    theirs = _THEIR_SPLITS.get(scored.references.split, scored.references.split)
    gold = scored.gold
    sides: tuple[tuple[Side, str, tuple[str, ...]], ...] = (
        ("image", f"{theirs}_imgs.img_feat.jsonl", gold.image_ids),
        ("text", f"{theirs}_texts.txt_feat.jsonl", gold.text_ids),
    )
    for side, name, ids in sides:
        with replacing(folder / name) as stream:
            for start in range(0, len(ids), _ROWS):
                part = slice(start, start + _ROWS)
                rows = found.vectors(side, part).tolist()
                flags = there[side][part].tolist() if there else [True] * len(rows)
                for one, row, present in zip(ids[part], rows, flags, strict=True):
                    if present:
                        line = {f"{side}_id": _plain(one), "feature": row}
                        stream.write(json.dumps(line).encode() + b"\n")
            found.release()
    return [folder / name for _, name, _ in sides]


def list_files(outcomes: Sequence[Outcome], gold: Gold, split: str) -> dict[str, bytes]:
    """`SPLIT_predictions.jsonl` and `SPLIT_tr_predictions.jsonl`, by name.

    Args:
        outcomes: One for each direction that is there.
        gold: The references.
        split: The split; their programs say valid for val.
    """
    files: dict[str, bytes] = {}
    theirs = _THEIR_SPLITS.get(split, split)
    for outcome in outcomes:
        queries, gallery = gold.ids(outcome.direction)
        lists = (
            (queries[at], [gallery[one] for one in outcome.top[at].tolist() if one != NONE])
            for at in np.flatnonzero(outcome.present).tolist()
        )
        name = f"{theirs}_{_MARKS[outcome.direction]}predictions.jsonl"
        files[name] = _lines(LIST_KEYS[outcome.direction], lists)
    return files


def score_documents(outcomes: Sequence[Outcome], path: Path) -> dict[Path, bytes]:
    """The score JSON of each direction: `path` for texts that ask, `STEM.tr.json` for pictures.

    A file of one direction alone is `path` itself, as their programs are called.

    Args:
        outcomes: One for each direction that is there.
        path: Where the first is to lie.
    """
    alone = len(outcomes) == 1
    turned_path = path.with_name(f"{path.name.removesuffix('.json')}.tr.json")
    return {
        path if alone or outcome.direction == "t2i" else turned_path: score_json(
            [math.fsum(outcome.hits[at]) for at in RECALLS], len(outcome.ranks)
        )
        for outcome in outcomes
    }


def score_json(hits: Sequence[float], queries: int) -> bytes:
    """The score JSON of hits within 1, 5 and 10.

    >>> score_json([888.0, 979.0, 994.0], 1000)[:58]
    b'{"success": true, "score": 95.36666666666666, "scoreJson":'
    """
    shares = [found / queries for found in hits]
    mean = (shares[0] + shares[1] + shares[2]) / len(shares) * _PERCENT
    inner = {"score": mean, "mean_recall": mean}
    inner |= {f"r{at}": share * _PERCENT for at, share in zip(RECALLS, shares, strict=True)}
    return json.dumps({"success": True, "score": mean, "scoreJson": inner}).encode("utf-8")


def _lines(keys: tuple[str, str], rows: Any) -> bytes:
    query, found = keys
    return b"".join(
        json.dumps({query: _plain(name), found: [_plain(one) for one in ids]}).encode() + b"\n"
        for name, ids in rows
    )


def _plain(name: str) -> int | str:
    """Their ids are whole numbers; ours are texts."""
    return int(name) if name.isascii() and name.isdigit() and str(int(name)) == name else name
