"""Every file that a scorer of VQA, VCR or retrieval reads: one sound one, ours, and the plain way.

A `Reader` scores a file twice, by the package and by `fuzz_scores`; nothing else in the small world
changes. The world is awkward on purpose: ties, doubled pictures, number words, ids as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuzz_plain as plain
import fuzz_scores as slow
import numpy as np
from fuzz_damage import (
    damaged_archive,
    damaged_array,
    damaged_parquet,
    damaged_text,
    npy_bytes,
    npz_bytes,
    parquet_bytes,
)
from fuzz_reader import Reader, Scores, jsonl, table

from vle_bench.eval.requests import RetrievalRequest, VcrRequest, VqaRequest


def _answers(*texts: str) -> list[dict[str, Any]]:
    return [
        {"answer": text, "answer_confidence": "yes", "answer_id": at}
        for at, text in enumerate(texts, 1)
    ]


QUESTIONS = [
    {"question_id": 1000 + at, "image_id": 1 + at // 2, "question_type": kind, "answer_type": type_,
     "answers": _answers(*texts)}
    for at, (kind, type_, texts) in enumerate([
        ("is the", "yes/no", ["yes"] * 10),
        ("how many", "number", ["2"] * 3 + ["two"] * 4 + ["3"] * 3),
        ("what is", "other", ["red", "red", "dark red", "1,000 x-y", "1000 xy"] + ["black"] * 5),
        ("what is", "other", ["the cat", "cat", "a cat", "dont know"]),
        ("what is", "", ["none", "0", "U.S.A.", "usa"] * 2),
    ])
]  # fmt: skip
ANNOTATIONS = {"info": {"version": "2.0"}, "data_type": "mscoco", "data_subtype": "valtiny",
               "annotations": QUESTIONS}  # fmt: skip
ASKED = {"data_subtype": "valtiny", "questions": [
    {name: one[name] for name in ("question_id", "image_id")} | {"question": "What?"}
    for one in QUESTIONS
]}  # fmt: skip
ANSWERS = [
    {"question_id": one["question_id"], "answer": answer}
    for one, answer in zip(QUESTIONS, ["Yes", "Two", "red", "Cat.", "None"], strict=True)
]
VOCABULARY = ["yes", "2", "two", "red", "cat", "0", "none"]

_VCR = np.random.default_rng(5).integers(0, 4, (5, 5, 4)) / 4
ITEMS = [
    {"annot_id": f"val-{at}", "img_id": f"val-{at // 2}", "question": ["Why", "is", [0], "?"],
     "answer_label": int(_VCR[at, 0].argmax()), "rationale_label": int(_VCR[at, at % 3].argmax())}
    for at in range(5)
]  # fmt: skip
PICKS = [
    {"annot_id": item["annot_id"], "q2a": _VCR[at, 0].tolist(), "qa2r": _VCR[at, 1].tolist()}
    for at, item in enumerate(ITEMS)
]
BLOCKS = [
    {"annot_id": item["annot_id"],
     **{f"answer_{choice}": _VCR[at, 0, choice] for choice in range(4)},
     **{f"rationale_conditioned_on_a{on}_{choice}": _VCR[at, 1 + on, choice]
        for on in range(4) for choice in range(4)}}
    for at, item in enumerate(ITEMS)
]  # fmt: skip

OWNERS = [[5], [3], [5], [9, 3], [12], [12], [7], [9], []]
TEXTS = [{"text_id": 70 + at, "text": "a dog", "image_ids": own} for at, own in enumerate(OWNERS)]
CAPTIONS = {"info": {"description": "d"}, "images": [], "annotations": [
    {"id": 70 + at, "image_id": own[0] if own else 5, "caption": "a dog"}
    for at, own in enumerate(OWNERS)
]}  # fmt: skip
PICTURES = ["5", "3", "9", "12", "7"]
KARPATHY = {"dataset": "coco", "images": [
    {"filename": f"COCO_{one}.jpg", "cocoid": int(one), "split": "test" if at else "val",
     "sentences": [{"raw": "x", "sentid": 10 * at + more} for more in range(count)]}
    for at, (one, count) in enumerate(zip(["1", *PICTURES], (1, 2, 1, 2, 2, 2), strict=True))
]}  # fmt: skip
MATRIX = (np.random.default_rng(7).integers(0, 6, (5, 9)) / 5).astype(np.float64)
APART = np.random.default_rng(8).random((5, 9))
OWN = {str(name): found for name, found in slow.texts_of(TEXTS).items()}
ONE_EACH = slow.texts_of(CAPTIONS)
FEATURES = np.random.default_rng(9).integers(-3, 4, (14, 6)).astype(np.float32)
RANKED = [
    *({"text_id": int(name), "image_ids": [int(one) for one in np.roll(PICTURES, at)]}
      for at, name in enumerate(OWN)),
    *({"image_id": int(one), "text_ids": [int(name) for name in np.roll(list(OWN), at)]}
      for at, one in enumerate(PICTURES)),
]  # fmt: skip
TURNED = [
    {"image_id": int(one), "text_ids": [int(name) for name, own in OWN.items() if one in own]}
    for one in PICTURES
]
FOLDS = [[5, 3], [9, 12, 7]]
POSITIVES = {"5": [70, 72, 71], "12": [74], "9": [77, 70, 76, 75]}


def write_world(folder: Path) -> None:
    """The sound files that stand beside a damaged one."""
    for name, data in {
        "annotations.json": json.dumps(ANNOTATIONS).encode(),
        "answers.json": json.dumps(ANSWERS).encode(),
        "items.jsonl": jsonl(ITEMS), "picks.jsonl": jsonl(PICKS),
        "q2a.npy": npy_bytes(_VCR[:, 0]), "qa2r.npy": npy_bytes(_VCR[:, 1]),
        "texts.jsonl": jsonl(TEXTS), "captions.json": json.dumps(CAPTIONS).encode(),
        "scores8.npy": npy_bytes(MATRIX[:, :8]),
        "scores.npy": npy_bytes(MATRIX), "apart.npy": npy_bytes(APART),
        "texts.npz": npz_bytes(ids=np.arange(70, 79), features=FEATURES[5:]),
    }.items():  # fmt: skip
        (folder / name).write_bytes(data)


def _vqa(**fields: str) -> Callable[[Path, Path], VqaRequest]:
    """A request about the sound files but for the one called `FILE`."""

    def request(folder: Path, file: Path) -> VqaRequest:
        asked: dict[str, Any] = {"annotations": "annotations.json", "predictions": "answers.json"}
        asked |= fields
        paths = {
            name: value if name == "protocol" else str(file if value == "FILE" else folder / value)
            for name, value in asked.items()
        }
        return VqaRequest(**paths | {"predictions": (paths["predictions"],), "resamples": 0})

    return request


def _asked(found: Any) -> Scores:
    """The score itself, where the questions belong to the annotations."""
    rows = [
        (plain.identity(row["question_id"]), (plain.identity(row["image_id"]), row["question"]))
        for row in plain.listed(found["questions"])
    ]
    asked = plain.by_id(rows)
    plain.need(all(isinstance(words, str) for _, words in asked.values()), "a question of no text")
    for row in QUESTIONS:
        plain.need(asked[str(row["question_id"])][0] == str(row["image_id"]), "another picture")
    return slow.vqa(ANNOTATIONS, _GIVEN)


def _vcr(annotations: str = "items.jsonl", *predictions: str) -> Callable[[Path, Path], VcrRequest]:
    def request(folder: Path, file: Path) -> VcrRequest:
        gold, *names = (
            str(file if one == "FILE" else folder / one) for one in (annotations, *predictions)
        )
        return VcrRequest(annotations=gold, predictions=tuple(names), resamples=0)

    return request


def _retrieval(ties: Any = "pessimistic", **files: str) -> Callable[[Path, Path], RetrievalRequest]:
    def request(folder: Path, file: Path) -> RetrievalRequest:
        asked: dict[str, Any] = {"texts": "texts.jsonl"} | files
        paths: dict[str, Any] = {
            name: str(file if value == "FILE" else folder / value) for name, value in asked.items()
        }
        for name in {"predictions", "positives"} & set(paths):
            paths[name] = (paths[name],)
        return RetrievalRequest(**paths, ties=ties, resamples=0)

    return request


def _of_references(found: Any) -> Scores:
    return slow.retrieval(slow.texts_of(found), MATRIX.tolist(), "pessimistic")


def _scores_of(texts: slow.Texts, rule: str) -> Callable[[bytes], Scores]:
    def plainly(data: bytes) -> Scores:
        matrix = plain.numbers(plain.array(data))
        plain.need(matrix.ndim == 2, "no matrix")
        return slow.retrieval(texts, matrix.tolist(), rule)

    return plainly


def _products(data: bytes, lines: bool) -> Scores:
    if lines:
        rows = plain.by_id(
            [
                (
                    plain.identity(row["image_id"]),
                    [plain.number(one) for one in plain.listed(row["feature"])],
                )
                for row in plain.json_rows(data)
            ]
        )
    else:
        found = plain.arrays(data)
        names, vectors = found["ids"], plain.numbers(found["features"])
        plain.need(names.ndim == 1 and vectors.ndim == 2 and len(names) == len(vectors), "shapes")
        plain.need(names.dtype.kind in "iuU", "ids that are none")
        rows = plain.by_id(
            [
                (plain.identity(name), vector)
                for name, vector in zip(names, vectors.tolist(), strict=True)
            ]
        )
    plain.same(rows, PICTURES, "pictures")
    plain.need(all(len(rows[one]) == FEATURES.shape[1] for one in PICTURES), "dimensions")
    texts = FEATURES[5:].astype(np.float64).tolist()
    products = [[slow.inner(rows[one], text) for text in texts] for one in PICTURES]
    return slow.retrieval(OWN, products, "pessimistic")


def _four_columns(data: bytes) -> Scores:
    found = plain.numbers(plain.array(data))
    plain.need(found.shape == (len(ITEMS), 4), "shape")
    sides = {
        item["annot_id"]: (found[at].tolist(), PICKS[at]["qa2r"]) for at, item in enumerate(ITEMS)
    }
    return slow.vcr(ITEMS, sides)


_GIVEN = slow.answers_of(ANSWERS)
_SIDES = slow.vcr_table(PICKS)

READERS: dict[str, Reader] = {
    "vqa annotations": Reader(
        json.dumps(ANNOTATIONS).encode(), damaged_text, _vqa(annotations="FILE"),
        lambda data: slow.vqa(plain.document(data), _GIVEN), "vqa"),
    "vqa questions": Reader(
        json.dumps(ASKED).encode(), damaged_text, _vqa(questions="FILE"),
        lambda data: _asked(plain.document(data)), "vqa"),
    "vqa answers, JSON": Reader(
        json.dumps(ANSWERS).encode(), damaged_text, _vqa(predictions="FILE"),
        lambda data: slow.vqa(ANNOTATIONS, slow.answers_of(plain.json_rows(data))), "vqa"),
    "vqa answers, JSONL": Reader(
        jsonl(ANSWERS), damaged_text, _vqa(predictions="FILE"),
        lambda data: slow.vqa(ANNOTATIONS, slow.answers_of(plain.lines(data))), "vqa"),
    "vqa answers, CSV": Reader(
        table(ANSWERS), damaged_text, _vqa(predictions="FILE"),
        lambda data: slow.vqa(ANNOTATIONS, slow.answers_of(plain.csv_rows(data))), "vqa"),
    "vqa answers, Parquet": Reader(
        parquet_bytes(ANSWERS), damaged_parquet, _vqa(predictions="FILE"),
        lambda data: slow.vqa(ANNOTATIONS, slow.answers_of(plain.parquet_rows(data))), "vqa"),
    "vqa vocabulary": Reader(
        json.dumps(VOCABULARY).encode(), damaged_text,
        _vqa(protocol="soft-label", vocabulary="FILE"),
        lambda data: slow.vqa(ANNOTATIONS, _GIVEN, slow.vocabulary_of(plain.document(data))),
        "vqa"),
    "vcr references": Reader(
        jsonl(ITEMS), damaged_text, _vcr("FILE", "picks.jsonl"),
        lambda data: slow.vcr(plain.json_rows(data), _SIDES), "vcr"),
    "vcr scores, CSV": Reader(
        table(BLOCKS), damaged_text, _vcr("items.jsonl", "FILE"),
        lambda data: slow.vcr(ITEMS, slow.vcr_table(plain.csv_rows(data))), "vcr"),
    "vcr scores, JSONL": Reader(
        jsonl(PICKS), damaged_text, _vcr("items.jsonl", "FILE"),
        lambda data: slow.vcr(ITEMS, slow.vcr_table(plain.json_rows(data))), "vcr"),
    "vcr scores, NPY": Reader(
        npy_bytes(_VCR[:, 0]), damaged_array, _vcr("items.jsonl", "FILE", "qa2r.npy"),
        _four_columns, "vcr"),
    "retrieval texts": Reader(
        jsonl(TEXTS), damaged_text, _retrieval(texts="FILE", scores="scores.npy"),
        lambda data: _of_references(plain.json_rows(data))),
    "retrieval references turned round": Reader(
        jsonl(TURNED), damaged_text, _retrieval(texts="FILE", scores="scores8.npy"),
        lambda data: slow.retrieval(
            slow.turned_texts(plain.json_rows(data)), MATRIX[:, :8].tolist(), "pessimistic")),
    "retrieval captions": Reader(
        json.dumps(CAPTIONS).encode(), damaged_text, _retrieval(texts="FILE", scores="scores.npy"),
        lambda data: _of_references(plain.document(data))),
    "retrieval Karpathy file": Reader(
        json.dumps(KARPATHY).encode(), damaged_text, _retrieval(texts="FILE", scores="scores.npy"),
        lambda data: _of_references(plain.document(data))),
    **{
        f"retrieval scores, {rule}": Reader(
            npy_bytes(MATRIX), damaged_array, _retrieval(rule, scores="FILE"),
            _scores_of(OWN, rule))
        for rule in ("pessimistic", "optimistic", "stable", "expected")
    },
    "retrieval features, NPZ": Reader(
        npz_bytes(ids=np.array(PICTURES), features=FEATURES[:5]), damaged_archive,
        _retrieval(image_features="FILE", text_features="texts.npz"),
        lambda data: _products(data, lines=False)),
    "retrieval features, JSONL": Reader(
        jsonl([{"image_id": int(one), "feature": row.tolist()}
               for one, row in zip(PICTURES, FEATURES[:5], strict=True)]),
        damaged_text, _retrieval(image_features="FILE", text_features="texts.npz"),
        lambda data: _products(data, lines=True)),
    "retrieval lists": Reader(
        jsonl(RANKED), damaged_text, _retrieval(predictions="FILE"),
        lambda data: slow.lists(OWN, plain.json_rows(data))),
    "retrieval ids": Reader(
        "".join(f"{one}\n" for one in PICTURES).encode(), damaged_text,
        _retrieval(scores="scores.npy", image_ids="FILE"),
        lambda data: _renamed(slow.ids(data))),
    "retrieval folds": Reader(
        json.dumps(FOLDS).encode(), damaged_text,
        _retrieval(texts="captions.json", scores="scores.npy", folds="FILE"),
        lambda data: slow.folds(ONE_EACH, MATRIX.tolist(), data)),
    "retrieval positives": Reader(
        json.dumps(POSITIVES).encode(), damaged_text,
        _retrieval(scores="apart.npy", positives="FILE"),
        lambda data: slow.retrieval(OWN, APART.tolist(), "pessimistic")
        | slow.extended(OWN, APART.tolist(), plain.document(data))),
}  # fmt: skip


def _renamed(names: list[str]) -> Scores:
    """Rows in another order, or a picture more that no text has."""
    plain.need(set(names) >= set(PICTURES) and len(names) == len(MATRIX), "other pictures")
    rows = [MATRIX[names.index(one)].tolist() for one in PICTURES]
    return slow.retrieval(OWN, rows, "pessimistic")
