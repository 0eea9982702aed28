"""What references say of single items: the question and what is right.

References are read again where the result was scored, and only if their digest
is still the one it was stored with: an answer of another file beside our score
would be worse than none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from vle_bench.errors import VleBenchError
from vle_bench.eval.facts.captions import Captions, read_captions
from vle_bench.eval.facts.grounding import (
    read_boxes,
    read_classes,
    read_pairs,
    read_patches,
)
from vle_bench.eval.facts.item import Facts
from vle_bench.eval.requests import RetrievalRequest, VcrRequest, VqaRequest
from vle_bench.eval.vcr.references import Label
from vle_bench.eval.vqa.gold import Gold
from vle_bench.inputs import open_source
from vle_bench.inputs.records import read_records
from vle_bench.results import ResultDocument

_ALL_CHOICES = 4
_TEXT_ASKS = "t2i"


@dataclass(frozen=True)
class VqaFacts(Facts):
    """Annotators' answers."""

    answers: Gold
    questions: tuple[str, ...]
    places: Mapping[str, int]
    note: str = field(default="", init=False)

    def question(self, name: str, group: str) -> str:
        """The question's text."""
        del group
        place = self.places.get(name)
        return self.questions[place] if place is not None and self.questions else ""

    def gold(self, name: str, group: str) -> list[list[Any]]:
        """Each answer and how many gave it, the most frequent first, equals by their text."""
        del group
        place = self.places.get(name)
        if place is None:
            return []
        gold = self.answers
        given = gold.codes[gold.starts[place] : gold.starts[place + 1]].tolist()
        counts = Counter(gold.texts[code] for code in given)
        return [list(pair) for pair in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


class _VcrLine(msgspec.Struct, frozen=True):
    annot_id: str | int
    answer_label: Label
    rationale_label: Label
    question: Any = None
    answer_choices: Any = None
    rationale_choices: Any = None
    objects: Any = None


@dataclass(frozen=True)
class VcrFacts(Facts):
    """Questions with their choices."""

    lines: Mapping[str, _VcrLine]
    note: str = field(default="", init=False)

    def question(self, name: str, group: str) -> str:
        """The question's words, things by their class and number."""
        del group
        line = self.lines.get(name)
        return "" if line is None else _told(line.question, line.objects)

    def gold(self, name: str, group: str) -> list[list[Any]]:
        """Eight choices: four answers, then four reasons, each with whether it is right."""
        del group
        line = self.lines.get(name)
        if line is None:
            return []
        pairs = (
            (line.answer_choices, line.answer_label),
            (line.rationale_choices, line.rationale_label),
        )
        return [
            [_told(choice, line.objects), int(place == label)]
            for choices, label in pairs
            for place, choice in enumerate(_four(choices))
        ]

    def right(self, name: str, group: str) -> list[str]:
        """The right answer and the right reason: their places from 0, and their words."""
        del group
        line = self.lines.get(name)
        if line is None:
            return []
        sides = (
            ("answer", line.answer_label, line.answer_choices),
            ("reason", line.rationale_label, line.rationale_choices),
        )
        return [
            _named(f"{side} {label}", _told(_four(choices)[label], line.objects))
            for side, label, choices in sides
        ]


@dataclass(frozen=True)
class RetrievalFacts(Facts):
    """Captions, and the pictures they belong to."""

    captions: Captions
    note: str = field(default="", init=False)

    def question(self, name: str, group: str) -> str:
        """The caption that asks; a picture that asks has no words."""
        return self.captions.words.get(name, "") if group == _TEXT_ASKS else ""

    def gold(self, name: str, group: str) -> list[list[Any]]:
        """The captions of a picture, or the pictures of a caption, all equally right."""
        if group == _TEXT_ASKS:
            return [[image, 1] for image in self.captions.pictures.get(name, ())]
        names = self.captions.of_picture.get(name, ())
        return [[self.captions.words[text], 1] for text in names]

    def right(self, name: str, group: str) -> list[str]:
        """The ids of a caption's pictures, or of a picture's captions with their words."""
        if group == _TEXT_ASKS:
            return list(self.captions.pictures.get(name, ()))
        names = self.captions.of_picture.get(name, ())
        return [_named(text, self.captions.words[text]) for text in names]

    def words(self, prediction: str, group: str) -> str:
        """The caption that came first."""
        return "" if group == _TEXT_ASKS else self.captions.words.get(prediction, "")


def facts_of(document: ResultDocument) -> Facts:
    """What the references of a result say; an explained nothing where they cannot be read."""
    read = _READERS.get(document.task)
    if read is None:
        return Facts()
    try:
        facts, digest = read(document)
    except (VleBenchError, msgspec.ValidationError, ValueError) as error:
        return Facts(f"Questions and right answers are not shown: {str(error).splitlines()[0]}")
    if digest != document.references.sha256:
        return Facts(
            f"Questions and right answers are not shown: {document.references.path} is no longer "
            "what the scores were made with."
        )
    return facts


def _vqa(document: ResultDocument) -> tuple[Facts, str]:
    from vle_bench.eval.vqa.references import read_references

    references = read_references(msgspec.convert(document.request, VqaRequest))
    places = {name: place for place, name in enumerate(references.gold.ids)}
    return VqaFacts(references.gold, references.questions, places), references.facts.sha256


def _retrieval(document: ResultDocument) -> tuple[Facts, str]:
    captions, digest = read_captions(msgspec.convert(document.request, RetrievalRequest))
    return RetrievalFacts(captions), digest


def _vcr(document: ResultDocument) -> tuple[Facts, str]:
    request = msgspec.convert(document.request, VcrRequest)
    if not request.annotations:
        return _vcr_of_shards(request)
    source = open_source(Path(request.annotations), "VCR references")
    lines = read_records(source, _VcrLine, "VCR references")
    return VcrFacts({str(line.annot_id): line for _, line in lines}), source.sha256


def _vcr_of_shards(request: VcrRequest) -> tuple[Facts, str]:
    from vle_bench.eval.references import canonical_split, shards_digest
    from vle_bench.eval.vcr.references import DATASET
    from vle_bench.records import VcrSample
    from vle_bench.shards.read import iter_samples
    from vle_bench.shards.report import read_report

    folder, split = (
        Path(request.data) / (request.dataset or DATASET),
        canonical_split(request.split),
    )
    digest = shards_digest(read_report(folder), split)
    lines = {
        item.annot_id: _VcrLine(
            item.annot_id,
            item.answer_label,
            item.rationale_label,
            _plain(item.question),
            [_plain(choice) for choice in item.answer_choices],
            [_plain(choice) for choice in item.rationale_choices],
            [thing.name for thing in sample.objects],
        )
        for sample in iter_samples(folder, split, VcrSample)
        for item in sample.items
    }
    return VcrFacts(lines), digest


def _named(name: str, words: str) -> str:
    return f"{name}: {words}" if words else name


def _plain(tokens: Any) -> list[Any]:
    return [token.text or list(token.objects) for token in tokens]


def _four(choices: Any) -> list[Any]:
    """The choices, or four without words where the file tells none."""
    return choices if isinstance(choices, list) and len(choices) == _ALL_CHOICES else [None] * 4


def _told(tokens: Any, objects: Any) -> str:
    """A sentence of words and of lists of things, which are told as "[dog 2]"."""
    if isinstance(tokens, str):
        return tokens
    words = tokens if isinstance(tokens, list) else []
    return " ".join(
        word if isinstance(word, str) else " and ".join(_thing(at, objects) for at in word)
        for word in words
        if isinstance(word, str | list)
    )


def _thing(place: Any, objects: Any) -> str:
    known = isinstance(objects, list) and isinstance(place, int) and 0 <= place < len(objects)
    name = objects[place] if known else "thing"
    return f"[{name} {place + 1}]" if isinstance(place, int) else f"[{name}]"


_READERS = MappingProxyType(
    {
        "vqa": _vqa,
        "vcr": _vcr,
        "retrieval": _retrieval,
        "grounding": read_patches,
        "grounding-mpc": read_boxes,
        "grounding-itm": read_pairs,
        "grounding-detection": read_classes,
    }
)
