"""Pictures ready to be compared: who they are, what is known of them, how they look.

A picture that EXIF turns is there twice, as stored and as shown: some tools turn
the pixels when they copy, some keep the mark, and some lose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.data_prep.leaks.evidence import facts_of
from vle_bench.data_prep.overlap import likeness
from vle_bench.data_prep.overlap.fingerprints import Fingerprints
from vle_bench.data_prep.overlap.likeness import Hashes, Spectra, Thumbnails
from vle_bench.data_prep.overlap.sides import Place, ShardRows
from vle_bench.data_prep.overlap.thumbnail import SIDE, turned
from vle_bench.errors import DataProblem
from vle_bench.shards.index import SampleRow

State = Literal["judged", "featureless", "too small", "unreadable", "not looked at"]
STATES: tuple[State, ...] = ("judged", "featureless", "too small", "unreadable", "not looked at")

_UPRIGHT = 1
_AT_ONCE = 4096

Numbers = npt.NDArray[np.int64]
Digests = npt.NDArray[np.bytes_]


class Who(NamedTuple):
    """A picture by name."""

    place: Place
    key: str


@dataclass(frozen=True)
class Pictures:
    """Some pictures, column by column; shape [N] each but for the views.

    Attributes:
        who: Their names.
        coco: COCO's ids; 0 where there is none.
        flickr: Flickr's photo ids; 0 where there is none.
        digests: sha256 of their bytes.
        states: Index in `STATES`.
        views: Thumbnails of those judged, as shown and, where EXIF turns, as stored; [V, 32, 32].
        owners: Which picture each view is of, ascending; shape [V].
    """

    who: tuple[Who, ...]
    coco: Numbers
    flickr: Numbers
    digests: Digests
    states: npt.NDArray[np.uint8]
    views: Thumbnails
    owners: Numbers

    def spectra(self, views: Numbers) -> Spectra:
        """The spectra of some views."""
        return likeness.spectra(self.views[views])

    def hashes(self) -> Hashes:
        """The hash of every view."""
        parts = [
            likeness.hashes(likeness.spectra(self.views[start : start + _AT_ONCE]))
            for start in range(0, len(self.views), _AT_ONCE)
        ]
        return np.concatenate([np.empty(0, np.uint64), *parts])


def pictures_of(shard: ShardRows, prints: Fingerprints | None) -> Pictures:
    """The pictures of a shard, in its order.

    Args:
        shard: The shard.
        prints: None where nobody looked at the pictures.

    Raises:
        DataProblem: The index holds something that is no digest.
    """
    rows = shard.rows
    try:
        facts = [facts_of(row) for row in rows]
    except ValueError as error:
        raise DataProblem(
            f"{shard.place.folder}: an index with a sha256 that is none. Run vle-prep verify."
        ) from error
    states = _states(rows, prints)
    judged = np.flatnonzero(states == STATES.index("judged"))
    views: list[npt.NDArray[np.uint8]] = []
    owners: list[int] = []
    for number in judged.tolist():
        assert prints is not None
        stored, orientation = prints.thumbnails[number], int(prints.orientations[number])
        views.append(turned(stored, orientation))
        owners.append(number)
        if orientation != _UPRIGHT:
            views.append(stored)
            owners.append(number)
    return Pictures(
        who=tuple(Who(shard.place, row.key) for row in rows),
        coco=np.array([one.coco_id for one in facts], dtype=np.int64),
        flickr=np.array([one.flickr_id for one in facts], dtype=np.int64),
        digests=np.array([one.sha256 for one in facts], dtype="S32"),
        states=states,
        views=np.array(views, dtype=np.uint8).reshape(-1, SIDE, SIDE),
        owners=np.array(owners, dtype=np.int64),
    )


def joined(parts: Sequence[Pictures]) -> Pictures:
    """All the pictures of `parts`, in their order."""
    parts = [_NONE, *parts]
    starts = np.cumsum([0, *(len(part.who) for part in parts[:-1])]).tolist()
    return Pictures(
        who=tuple(who for part in parts for who in part.who),
        coco=np.concatenate([part.coco for part in parts]),
        flickr=np.concatenate([part.flickr for part in parts]),
        digests=np.concatenate([part.digests for part in parts]),
        states=np.concatenate([part.states for part in parts]),
        views=np.concatenate([part.views for part in parts]),
        owners=np.concatenate(
            [part.owners + start for part, start in zip(parts, starts, strict=True)]
        ),
    )


_NONE = Pictures(
    who=(),
    coco=np.empty(0, np.int64),
    flickr=np.empty(0, np.int64),
    digests=np.empty(0, "S32"),
    states=np.empty(0, np.uint8),
    views=np.empty((0, SIDE, SIDE), np.uint8),
    owners=np.empty(0, np.int64),
)


def _states(rows: Sequence[SampleRow], prints: Fingerprints | None) -> npt.NDArray[np.uint8]:
    number = STATES.index
    if prints is None:
        return np.full(len(rows), number("not looked at"), dtype=np.uint8)
    flat = likeness.texture(likeness.spectra(prints.thumbnails)) < likeness.LEAST_TEXTURE
    small = np.array([min(row.width, row.height) < likeness.LEAST_SIDE for row in rows], dtype=bool)
    states = np.full(len(rows), number("judged"), dtype=np.uint8)
    states[flat] = number("featureless")
    states[small] = number("too small")
    states[prints.orientations == 0] = number("unreadable")
    return states
