"""mAP@R and R-precision, where somebody has looked for all that is right: ECCV-Caption, CxC.

COCO's captions are right for more pictures than their own. Such files name, for
some queries, every positive R of them. R-precision is the share of positives
among the first R. mAP@R sums, over the first R places, the precision so far
wherever a positive stands, and divides by R: 1 only where all R come first
(Musgrave et al., A Metric Learning Reality Check, ECCV 2020; Chun et al.,
ECCV Caption, ECCV 2022). Queries that the file does not name are left out, and
recalls keep the references' own positives.

ECCV-Caption's own file names two captions that are not among the 25,000 it is used
with. Its program counts them into R, where nothing can find them; so do we, where
`--missing zero` asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from vle_bench.errors import DataProblem
from vle_bench.eval.matching import named
from vle_bench.eval.requests import MissingRule
from vle_bench.eval.retrieval.gold import DIRECTIONS, NONE, Direction, Gold, Ints, Positives
from vle_bench.eval.retrieval.ranking import top_places
from vle_bench.eval.retrieval.similarity import Flags, Floats, Similarity
from vle_bench.eval.retrieval.ties import TieRule
from vle_bench.identity import id_text
from vle_bench.inputs import open_source, read_json

_EXPECTED = 'positives: a JSON object {"query id": [candidate ids]}, of texts or of pictures'


class Extended(msgspec.Struct, frozen=True, eq=False):
    """What one direction's extended positives come to.

    Attributes:
        direction: Who asks.
        queries: Positions of the queries that have any, shape [Q].
        map_at_r: Of each, from 0 to 1.
        r_precision: Likewise.
    """

    direction: Direction
    queries: Ints
    map_at_r: Floats
    r_precision: Floats


class Wanted(msgspec.Struct, frozen=True, eq=False):
    """The extended positives of one direction.

    Attributes:
        positives: Those that the references hold.
        absent: How many of each query's they do not hold, shape [queries].
    """

    positives: Positives
    absent: Ints

    @property
    def sizes(self) -> Ints:
        """R of each query; 0 where the file does not name it."""
        return self.positives.counts + self.absent


def read_positives(
    names: Sequence[str], gold: Gold, *, missing: MissingRule = "error"
) -> tuple[dict[Direction, Wanted], dict[str, str]]:
    """Extended positives of one or both directions, and the digests of the files by role.

    The direction is seen from the ids: keys that are pictures ask for texts.

    Args:
        names: The files.
        gold: The references.
        missing: Whether positives that the references do not hold stop the run (`error`), or
            count as never found (`zero`).

    Raises:
        DataProblem: Broken, ids that the references do not hold, a direction that cannot be seen
            or stands twice, a query without positives or with one twice.
    """
    found: dict[Direction, Wanted] = {}
    inputs: dict[str, str] = {}
    for at, name in enumerate(names, 1):
        source = open_source(Path(name), "positives")
        inputs["positives" if len(names) == 1 else f"positives[{at}]"] = source.sha256
        found_lists = read_json(source, dict[str, list[int | str]], _EXPECTED)
        try:
            lists = {id_text(key): list(map(id_text, ids)) for key, ids in found_lists.items()}
        except ValueError as error:
            raise DataProblem(f"{name}: {error}. Expected {_EXPECTED}.") from error
        direction = _direction(lists, gold, name, missing)
        if direction in found:
            raise DataProblem(f"{name}: positives of {direction} were given already. Give one.")
        found[direction] = _positives(lists, gold, direction, name)
    return found, inputs


def extended_of(
    similarity: Similarity, wanted: Wanted, direction: Direction, *, rule: TieRule
) -> Extended:
    """Ranks as deep as each query has positives.

    Args:
        similarity: The scores.
        wanted: The extended positives.
        direction: Who asks.
        rule: Decides the order of ties.
    """
    positives, sizes = wanted.positives, wanted.sizes
    depth = int(sizes.max(initial=0))
    queries = np.flatnonzero(sizes)
    top = top_places(similarity, positives, direction, rule=rule, depth=depth)[queries]
    pairs = positives.contain(np.repeat(queries, depth), top.ravel()).reshape(top.shape)
    right = pairs & (top != NONE)
    return _measured(direction, queries, right, sizes[queries])


def _measured(direction: Direction, queries: Ints, right: Flags, sizes: Ints) -> Extended:
    """Both metrics from what is right at each place, shape [Q, depth].

    >>> right = np.array([[True, False, True, True]])
    >>> found = _measured("i2t", np.array([0]), right, np.array([3]))
    >>> found.map_at_r.round(4).tolist(), found.r_precision.round(4).tolist()
    ([0.5556], [0.6667])
    """
    places = np.arange(1, right.shape[1] + 1)
    within = right & (places <= sizes[:, None])
    precision = np.cumsum(within, axis=1) / places
    return Extended(
        direction,
        queries,
        map_at_r=np.add.reduce(np.where(within, precision, 0.0), axis=1) / sizes,
        r_precision=within.sum(axis=1) / sizes,
    )


def _direction(
    lists: Mapping[str, Sequence[str]], gold: Gold, name: str, missing: MissingRule
) -> Direction:
    asking = {"i2t": set(gold.image_ids[: gold.captioned]), "t2i": set(gold.text_ids)}
    candidates = {one for found in lists.values() for one in found}
    among: dict[Direction, int] = {
        direction: len(candidates & set(gold.ids(direction)[1]))
        for direction in DIRECTIONS
        if lists.keys() <= asking[direction]
    }
    fitting = [direction for direction, known in among.items() if known == len(candidates)]
    if not fitting and missing == "zero":
        fitting = [direction for direction, known in among.items() if known]
    if len(fitting) == 1 and lists:
        return fitting[0]
    if fitting:
        raise DataProblem(f"{name}: its ids fit pictures and texts alike. Expected {_EXPECTED}.")
    queries: Direction = "i2t" if lists.keys() <= asking["i2t"] else "t2i"
    strange = lists.keys() - asking[queries]
    foreign = sorted(strange | (candidates - set(gold.ids(queries)[1])))
    more = "" if strange else ", or count them as never found with --missing zero"
    raise DataProblem(
        f"{name}: {len(foreign):,} ids are not among the references: {named(foreign)}. "
        f"Give the references that the file was made for{more}. Expected {_EXPECTED}."
    )


def _positives(
    lists: Mapping[str, Sequence[str]], gold: Gold, direction: Direction, name: str
) -> Wanted:
    wrong = [key for key, ids in lists.items() if not ids or len(set(ids)) != len(ids)]
    if wrong:
        raise DataProblem(
            f"{name}: {len(wrong):,} queries with no positive, or with one twice: {named(wrong)}."
        )
    queries, gallery = gold.ids(direction)
    place_of = {one: at for at, one in enumerate(gallery)}
    lengths = np.array([len(lists.get(query, ())) for query in queries], dtype=np.int64)
    rows = [
        sorted(place_of[one] for one in lists.get(query, ()) if one in place_of)
        for query in queries
    ]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    candidates = np.array([at for row in rows for at in row], dtype=np.int64)
    positives = Positives(len(queries), len(gallery), starts, candidates)
    return Wanted(positives, lengths - positives.counts)
