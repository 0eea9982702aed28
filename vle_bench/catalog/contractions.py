"""The contraction table of the official VQA normalisation, with its defects.

Four keys begin with a capital and can never match a lower-cased answer, and one
pair is reversed ("somebody'd" becomes "somebodyd"). They are kept: a scorer
that repairs them prints other numbers than the official one.
Source: GT-Vision-Lab/VQA, PythonEvaluationTools/vqaEvaluation/vqaEval.py (commit a013f004).
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

from vle_bench.catalog.files import CatalogFile, packaged_file
from vle_bench.errors import Problems

_HEADER = ["word", "replacement"]


@cache
def contractions() -> MappingProxyType[str, str]:
    """Each word and what the official rule writes instead; read-only, 120 pairs.

    >>> contractions()["dont"], contractions()["somebody'd"]
    ("don't", 'somebodyd')
    """
    return read_pairs(packaged_file("normalization", "vqa_contractions.tsv"))


def read_pairs(file: CatalogFile) -> MappingProxyType[str, str]:
    """A table of two tab-separated columns, `word` and `replacement`, each word once.

    Raises:
        DataProblem: up to ten lines that are not of that form.
    """
    problems = Problems()
    pairs: dict[str, str] = {}
    first_lines: dict[str, int] = {}
    rows = [line.split("\t") for line in file.read_text().splitlines()]
    if rows[:1] != [_HEADER]:
        problems.add(f"{file.place}:1: expected the header word<TAB>replacement.")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(_HEADER) or not all(row):
            problems.add(f"{file.place}:{number}: expected word<TAB>replacement, found {row}.")
        elif row[0] in pairs:
            first = first_lines[row[0]]
            problems.add(f"{file.place}:{number}: {row[0]} stands on line {first} already.")
        else:
            pairs[row[0]] = row[1]
            first_lines[row[0]] = number
    problems.raise_if_any(advice="Correct the table and run again.")
    return MappingProxyType(pairs)
