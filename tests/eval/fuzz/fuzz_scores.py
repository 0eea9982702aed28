"""Scores as their definitions say, one item after the other: slow, and in nobody's debt.

Rows in, percent out. What is unclear in them is `Unclear`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import comb, floor
from typing import Any

from fuzz_plain import (
    Row,
    Unclear,
    by_id,
    document,
    identity,
    listed,
    need,
    number,
    same,
    text,
    unpacked,
)
from slow_vqa import slow_score, slow_soft_score

Scores = dict[str, float]
CHOICES = range(4)


def vqa(gold: Any, answers: Mapping[str, str], vocabulary: Sequence[str] | None = None) -> Scores:
    """Official accuracy by type, or the soft targets of a vocabulary."""
    need(isinstance(gold, dict) and "annotations" in gold, "no annotations")
    questions = by_id([(identity(row["question_id"]), row) for row in listed(gold["annotations"])])
    need(questions, "no question")
    same(answers, questions, "questions")
    found: dict[str, list[float]] = {}
    for one, row in questions.items():
        identity(row["image_id"])
        entries = [{"answer": text(entry["answer"])} for entry in listed(row["answers"])]
        need(entries, "no answer")
        if vocabulary is None:
            score: float | None = slow_score({"answers": entries}, answers[one], "official")
        else:
            score = slow_soft_score(
                {"answers": entries}, answers[one], vocabulary, normalised=False
            )
        if score is not None:
            for name in ("accuracy", *_parts(row, questions.values())):
                found.setdefault(name, []).append(score)
    need(found, "no question counts")
    return {name: 100 * sum(scores) / len(scores) for name, scores in found.items()}


def _parts(row: Row, rows: Iterable[Row]) -> Iterator[str]:
    """The answer type and the question type; a row without is unstated where others have one."""
    for key, form in (("answer_type", "{}"), ("question_type", "question_type={}")):
        if any(text(other.get(key, "")) for other in rows):
            yield f"accuracy[{form.format(row.get(key, '') or 'unstated')}]"


def answers_of(rows: Sequence[Row]) -> dict[str, str]:
    return by_id([(identity(row["question_id"]), text(row["answer"])) for row in rows])


def vocabulary_of(found: Any) -> list[str]:
    """A list of answers, or the numbers of answers, or the answers of numbers."""
    if isinstance(found, dict) and all(type(value) is int for value in found.values()):
        need(sorted(found.values()) == list(range(len(found))), "labels with gaps")
        found = sorted(found, key=found.get)
    elif isinstance(found, dict):
        need(sorted(found, key=int) == [str(at) for at in range(len(found))], "labels with gaps")
        found = [found[str(at)] for at in range(len(found))]
    need(listed(found) and all(isinstance(one, str) for one in found), "no texts")
    need(len(set(found)) == len(found), "an answer twice")
    return found


def vcr(gold: Sequence[Row], scores: Mapping[str, tuple[list[Any], list[Any]]]) -> Scores:
    """Q2A, QA2R and both, the first maximum picked."""
    items = by_id([(identity(row["annot_id"]), row) for row in gold])
    need(items, "no item")
    same(scores, items, "items")
    hits = []
    for one, row in items.items():
        labels = row["answer_label"], row["rationale_label"]
        need(all(type(label) is int and label in CHOICES for label in labels), "no label")
        identity(row.get("img_fn") if row.get("img_id") is None else row["img_id"])
        answers, reasons = scores[one]
        if reasons and isinstance(reasons[0], list):
            need(len(reasons) == len(CHOICES), "not four blocks")
            blocks = [four(block) for block in reasons]
            reasons = blocks[labels[0]]
        right = [
            _pick(four(side)) == label
            for side, label in zip((answers, reasons), labels, strict=True)
        ]
        hits.append((*right, all(right)))
    return {
        name: 100 * sum(column) / len(items)
        for name, column in zip(("q2a", "qa2r", "q2ar"), zip(*hits, strict=True), strict=True)
    }


def four(values: Any) -> list[float]:
    need(len(listed(values)) == len(CHOICES), "not four scores")
    return [number(value) for value in values]


def vcr_table(rows: Sequence[Row]) -> dict[str, tuple[list[Any], list[Any]]]:
    """The leaderboard's columns, or q2a and qa2r."""
    found = []
    for row in rows:
        if "q2a" in row or "qa2r" in row:
            sides = listed(row["q2a"]), listed(row["qa2r"])
        else:
            sides = (
                [row[f"answer_{at}"] for at in CHOICES],
                [[row[f"rationale_conditioned_on_a{on}_{at}"] for at in CHOICES] for on in CHOICES],
            )
        found.append((identity(row["annot_id"]), sides))
    return by_id(found)


def _pick(scores: Sequence[float]) -> int:
    return max(CHOICES, key=lambda at: (scores[at], -at))


Texts = dict[str, list[str]]


def texts_of(found: Any, split: str = "test") -> Texts:
    """Pictures of each text, from one of the three formats of references."""
    if isinstance(found, dict) and "annotations" in found:
        rows = [(identity(row["id"]), [identity(row["image_id"])]) for row in found["annotations"]]
    elif isinstance(found, dict) and "images" in found:
        pictures = [row for row in found["images"] if text(row["split"]) == split]
        names = [_karpathy_id(row) for row in pictures]
        need(len(set(names)) == len(names), "a picture twice")
        rows = [
            (identity(sentence["sentid"]), [name])
            for name, row in zip(names, pictures, strict=True)
            for sentence in listed(row["sentences"])
        ]
    else:
        rows = [
            (identity(row["text_id"]), [identity(one) for one in listed(row["image_ids"])])
            for row in listed(found)
        ]
    return by_id(rows)


def turned_texts(rows: Sequence[Row]) -> Texts:
    """Pictures of each text, where a line is a picture and its texts."""
    pictures = by_id([(identity(row["image_id"]), listed(row["text_ids"])) for row in rows])
    need(all(pictures.values()), "a picture without texts")
    need(not any("text_id" in row for row in rows[:1]), "texts that have pictures")
    found: Texts = {}
    for picture, texts in pictures.items():
        for one in texts:
            found.setdefault(identity(one), []).append(picture)
    return found


def _karpathy_id(row: Row) -> str:
    if row.get("cocoid") is not None:
        return identity(row["cocoid"])
    name = text(row["filename"]).rstrip("/").rpartition("/")[2]
    return identity(name.rpartition(".")[0] or name)


def pictures_of(texts: Texts, more: Sequence[str] = ()) -> list[str]:
    need(texts and any(texts.values()), "nothing to find")
    return list(dict.fromkeys([*(one for found in texts.values() for one in found), *more]))


def retrieval(
    texts: Texts, scores: Sequence[Sequence[Any]], rule: str, more: Sequence[str] = ()
) -> Scores:
    """All metrics of a matrix [pictures, texts]."""
    pictures = pictures_of(texts, more)
    names = list(texts)
    need(len(scores) == len(pictures) and all(len(row) == len(names) for row in scores), "shape")
    found: Scores = {}
    captioned = [one for one in pictures if any(one in own for own in texts.values())]
    i2t = [
        _query(row, [at for at, name in enumerate(names) if one in texts[name]], rule)
        for one, row in zip(captioned, scores, strict=False)
    ]
    t2i = [
        _query([row[at] for row in scores], [pictures.index(one) for one in set(texts[name])], rule)
        for at, name in enumerate(names)
    ]
    for direction, queries in (("i2t", i2t), ("t2i", t2i)):
        for place, at in enumerate((1, 5, 10)):
            found[f"{direction}_r{at}"] = float(
                100 * sum(one[0][place] for one in queries) / len(queries)
            )
        ranks = [one[1] for one in queries]
        found[f"{direction}_medr"] = floor(statistics.median(ranks)) + 1
        found[f"{direction}_meanr"] = float(sum(ranks) / len(ranks) + 1)
    return with_sums(found)


def with_sums(found: Scores) -> Scores:
    for direction in ("i2t", "t2i"):
        if f"{direction}_r1" in found:
            recalls = [found[f"{direction}_r{at}"] for at in (1, 5, 10)]
            found[f"{direction}_mean_recall"] = sum(recalls) / 3
    if "i2t_r1" in found and "t2i_r1" in found:
        found["rsum"] = 3 * (found["i2t_mean_recall"] + found["t2i_mean_recall"])
        found["mean_recall"] = found["rsum"] / 6
    return found


def _query(
    scores: Sequence[Any], right: Sequence[int], rule: str
) -> tuple[list[Fraction], Fraction]:
    """Hits within 1, 5 and 10, and the rank from 0."""
    if not right:
        return [Fraction(0)] * 3, Fraction(len(scores))
    best = max(scores[at] for at in right)
    above = sum(1 for score in scores if score > best)
    tied = [at for at, score in enumerate(scores) if score == best]
    wrong = len([at for at in tied if at not in right])
    if rule == "expected":
        hits = []
        for at in (1, 5, 10):
            room = at - above
            missed = (
                0
                if room > wrong
                else Fraction(comb(wrong, room), comb(len(tied), room))
                if room > 0
                else 1
            )
            hits.append(Fraction(1) - missed)
        return hits, above + Fraction(wrong, len(tied) - wrong + 1)
    before = {
        "pessimistic": wrong,
        "optimistic": 0,
        "stable": next(place for place, at in enumerate(tied) if at in right),
    }[rule]
    rank = Fraction(above + before)
    return [Fraction(int(rank < at)) for at in (1, 5, 10)], rank


def lists(texts: Texts, rows: Sequence[Row]) -> Scores:
    """Recalls of ranked lists of one direction or both."""
    pictures = pictures_of(texts)
    sides: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        of_text = "text_id" in row and "image_ids" in row
        need(of_text != ("image_id" in row and "text_ids" in row), "no direction")
        query, found = ("text_id", "image_ids") if of_text else ("image_id", "text_ids")
        side = sides.setdefault("t2i" if of_text else "i2t", {})
        name = identity(row[query])
        need(name not in side, "a query twice")
        side[name] = [identity(one) for one in listed(row[found])]
    scores: Scores = {}
    for direction, side in sides.items():
        queries, gallery = (
            (list(texts), pictures) if direction == "t2i" else (pictures, list(texts))
        )
        same(side, queries, "queries")
        places = []
        for name, found in side.items():
            need(len(found) == len(set(found)) == min(10, len(gallery)), "not ten different ones")
            need(set(found) <= set(gallery), "strangers")
            pairs = (
                one in texts[name] if direction == "t2i" else name in texts[one] for one in found
            )
            places.append(next((at for at, right in enumerate(pairs) if right), 99))
        for at in (1, 5, 10):
            scores[f"{direction}_r{at}"] = 100 * sum(place < at for place in places) / len(places)
    if not scores:
        raise Unclear("no list")
    return with_sums(scores)


def ids(data: bytes) -> list[str]:
    """One id a line."""
    data = unpacked(data)
    found = [
        line.strip()
        for line in data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    while found and not found[-1]:
        found.pop()
    need(all(found) and len(set(found)) == len(found), "no id, or one twice")
    return found


def folds(texts: Texts, scores: Sequence[Sequence[Any]], data: bytes) -> Scores:
    """Means over folds, each scored alone."""
    found = [[identity(one) for one in listed(fold)] for fold in listed(document(data))]
    pictures = pictures_of(texts)
    every = [one for fold in found for one in fold]
    need(all(found) and sorted(every) == sorted(pictures), "folds that are no partition")
    parts = []
    for fold in found:
        names = [name for name, own in texts.items() if set(own) & set(fold)]
        need(names, "a fold without texts")
        need(all(set(texts[name]) <= set(fold) for name in names), "a text in two folds")
        inside = [one for one in pictures if one in fold]
        part = {name: texts[name] for name in names}
        order = pictures_of(part)
        need(order == inside, "our order")
        columns = [list(texts).index(name) for name in names]
        rows = [[scores[pictures.index(one)][at] for at in columns] for one in inside]
        parts.append(retrieval(part, rows, "pessimistic"))
    return {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}


def extended(texts: Texts, scores: Sequence[Sequence[Any]], found: Any) -> Scores:
    """mAP@R and R-precision of scores without ties."""
    pictures, names = pictures_of(texts), list(texts)
    need(isinstance(found, dict) and found, "no object")
    right = {identity(key): [identity(one) for one in listed(own)] for key, own in found.items()}
    of_pictures = set(right) <= set(pictures)
    queries, gallery = (pictures, names) if of_pictures else (names, pictures)
    need(set(right) <= set(queries), "strangers")
    values = []
    for key, own in right.items():
        need(own and len(set(own)) == len(own) and set(own) <= set(gallery), "strangers")
        at = queries.index(key)
        row = scores[at] if of_pictures else [line[at] for line in scores]
        order = sorted(range(len(gallery)), key=lambda place: -row[place])
        hits = [gallery[place] in own for place in order[: len(own)]]
        precisions = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit]
        values.append((sum(precisions) / len(own), sum(hits) / len(own)))
    direction = "i2t" if of_pictures else "t2i"
    return {
        f"{direction}_{name}": 100 * sum(value[at] for value in values) / len(values)
        for at, name in enumerate(("map_r", "r_precision"))
    }


def inner(left: Sequence[float], right: Sequence[float]) -> float:
    """The product in 64 bits, dimension by dimension: what is equal there is equal."""
    total = 0.0
    for one, other in zip(left, right, strict=True):
        total += float(one) * float(other)
    return total
