"""Answer vocabularies: what a classifier can say.

Every code base writes its own form: a list in label order (LXMERT's
label2ans), answer to label (UNITER, ours), label to answer (ViLT, ours). The
forms differ in the order of labels as well; a score needs the set alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from vle_bench.canonical import json_bytes, sha256_bytes
from vle_bench.errors import DataProblem
from vle_bench.eval.matching import named
from vle_bench.inputs import open_source, read_json

_EXPECTED = 'an answer vocabulary: a list of answers, {"answer": label} or {"label": "answer"}'
_DIGEST_LENGTH = 8
_MOST_DIGITS = 18
"""Of a label: no vocabulary is larger, and Python refuses to read thousands of digits."""


class Vocabulary(NamedTuple):
    """Answers in label order, and the digest of the file they were read from."""

    answers: tuple[str, ...]
    sha256: str

    @property
    def name(self) -> str:
        """Size and digest of the set: equal for equal sets, in whatever order or form.

        >>> Vocabulary(("no", "yes"), "").name == Vocabulary(("yes", "no"), "").name
        True
        """
        digest = sha256_bytes(json_bytes(sorted(self.answers)))
        return f"{len(self.answers)}-{digest[:_DIGEST_LENGTH]}"


def read_vocabulary(path: Path) -> Vocabulary:
    """Reads a vocabulary of any of the three forms.

    Raises:
        DataProblem: Another form, no answer at all, or an answer or a label that stands twice.
    """
    source = open_source(path, "an answer vocabulary")
    content = read_json(source, list[str] | dict[str, int | str], _EXPECTED)  # type: ignore[arg-type]
    answers = content if isinstance(content, list) else _in_label_order(content, path)
    if not answers:
        raise DataProblem(f"{path}: holds no answer. Expected {_EXPECTED}.")
    if len(set(answers)) != len(answers):
        twice = (repr(one) for one, count in Counter(answers).items() if count > 1)
        raise DataProblem(f"{path}: answers that have two labels: {named(twice)}.")
    return Vocabulary(tuple(answers), source.sha256)


def _in_label_order(content: Mapping[str, int | str], path: Path) -> list[str]:
    if all(isinstance(value, int) for value in content.values()):
        labels = {int(label): answer for answer, label in content.items()}
    elif all(key.isascii() and key.isdigit() and len(key) <= _MOST_DIGITS for key in content):
        labels = {int(label): str(answer) for label, answer in content.items()}
    else:
        raise DataProblem(f"{path}: neither labels nor answers are numbers. Expected {_EXPECTED}.")
    if len(labels) != len(content):
        raise DataProblem(f"{path}: two answers share a label. Expected {_EXPECTED}.")
    return [labels[label] for label in sorted(labels)]
