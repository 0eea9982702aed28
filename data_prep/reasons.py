"""Every reason for which something is left out, sorted into classes: the one table of them.

The books, `skipped.parquet` and the card name the reason, which says what was
found; its class, which `report.json` and the card count beside it, says what kind
of loss that is, and is the same for all datasets.
`docs/reasons.md` shows the table to people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from vle_bench.data_prep import books, box_rules, web_reasons
from vle_bench.data_prep.leaks.evidence import EXCLUDED

CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "missing": (books.ABSENT, "picture not downloaded"),
        "unreadable": (
            "picture header broken",
            "picture damaged in its zip",
            "picture damaged in its table",
            "picture is no base64 text",
            "phrase boxes not readable",
        ),
        "truncated": ("picture cut short",),
        "not an image": ("not a picture", "picture is an HTML page"),
        "unsupported format": (
            "picture format gif not supported",
            "picture format bmp not supported",
            "picture format tiff not supported",
            "picture format jpeg 2000 not supported",
            "picture format jpeg xl not supported",
            "picture format avif not supported",
            "picture format heic not supported",
            "picture format svg not supported",
        ),
        "too large": ("picture file too large", "picture of too many pixels"),
        "zero-size": ("picture file empty", "picture without a pixel"),
        "duplicate id": (books.DUPLICATE, books.OTHER_SPLIT),
        "no annotation": (
            books.NO_ANNOTATION,
            books.NO_QUESTION,
            books.EMPTY_CAPTION,
            "region without phrase",
            "image without a usable caption",
            "image without a usable question",
            "question without label",
            "test-dev question that test does not have",
            "text that names no picture",
        ),
        "inconsistent": (
            books.NOT_LISTED,
            "annotation names another image than its question",
            "question of another picture or other objects than its image's first",
        ),
        "malformed": (
            books.NO_NUMBER_ID,
            "id that cannot name a sample",
            "line that is no caption and address",
            "caption line that is not understood",
            "row of pictures that is not understood",
        ),
        "unusable box": (box_rules.NOT_FINITE, box_rules.NO_AREA, box_rules.OUTSIDE),
        "excluded by overlap": (EXCLUDED,),
        "download": web_reasons.REASONS,
    }
)
"""Class to its reasons. A reason stands in one class."""

OTHER = "other"
"""The class of what a dataset of somebody else's, or a filter of `subset`, gives as a reason."""

LOSSES: tuple[str, ...] = (
    "picture without metadata",
    "metadata that cannot be read",
    "metadata of other objects than the questions'",
    "box of a category that its file does not list",
    "picture without its file of phrase boxes",
    "picture without its file of marked sentences",
)
"""Rules under `adjusted` that no official file needs: what was written lacks boxes, their classes
or their phrases. People are warned of them, since nothing is left out that would tell."""

UNPACKED_BADLY: tuple[str, ...] = (
    "picture cut short",
    "picture file empty",
    "picture header broken",
    "not a picture",
)
"""Reasons of pictures that may be whole in the archive that they were unpacked from."""

_CLASS_OF = {reason: name for name, reasons in CLASSES.items() for reason in reasons}


def class_of(reason: str) -> str:
    """The class of a reason.

    >>> class_of("picture is an HTML page"), class_of("download: dns"), class_of("eaten by a dog")
    ('not an image', 'download', 'other')
    """
    return _CLASS_OF.get(reason, OTHER)


def classes_of(skipped: Mapping[str, int]) -> dict[str, int]:
    """How much each class left out, by the counts of its reasons.

    >>> classes_of({"download: dns": 2, "picture absent": 1, "download: 4xx": 40})
    {'download': 42, 'missing': 1}
    """
    found: Counter[str] = Counter()
    for reason, count in skipped.items():
        found[class_of(reason)] += count
    return dict(sorted(found.items()))
