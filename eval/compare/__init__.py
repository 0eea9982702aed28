"""Stored runs beside each other, and beside a published figure: is the difference real?"""

from vle_bench.eval.compare.contrast import Contrast, Drawing, contrast_with_first
from vle_bench.eval.compare.figures import FigureTest, against_published
from vle_bench.eval.compare.group import GroupContrasts, LeftOut, contrast_with_best
from vle_bench.eval.compare.runs import StoredRun, read_run, refuse_unequal_terms, unequal_terms

__all__ = [
    "Contrast",
    "Drawing",
    "FigureTest",
    "GroupContrasts",
    "LeftOut",
    "StoredRun",
    "against_published",
    "contrast_with_best",
    "contrast_with_first",
    "read_run",
    "refuse_unequal_terms",
    "unequal_terms",
]
