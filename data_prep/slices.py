"""Parts of a dataset built side by side, on as many machines as there are, by nobody's order.

Which shard is of which slice follows from its number alone, so jobs of an array
need neither a coordinator nor each other. A slice writes shards and their
journal and nothing else; `--finish` makes indexes, card and report of them, and
the tree is the same as after a single run.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from vle_bench.atomic import make_folder
from vle_bench.console import progress
from vle_bench.data_prep.books import Books
from vle_bench.data_prep.engines.engine import ENGINES
from vle_bench.data_prep.journal import SLICE_LOG, Slice, log_run, one_of_many
from vle_bench.data_prep.leaks.guard import guarded
from vle_bench.data_prep.plan import plan_shards, shard_count
from vle_bench.data_prep.prior import Prior
from vle_bench.data_prep.run import Request, opening, parameters_of
from vle_bench.data_prep.shard_task import ensure_shard
from vle_bench.errors import UsageProblem

_SLICE = re.compile(r"(?P<index>[0-9]{1,6})/(?P<of>[0-9]{1,6})")


@dataclass(frozen=True)
class SliceDone:
    """What building a slice did.

    Attributes:
        part: The slice.
        splits: The splits that were looked at.
        shards: How many shards of them are of this slice.
        built: How many of those were written; the others stood already.
        planned: How many shards the splits have in all.
    """

    part: Slice
    splits: tuple[str, ...]
    shards: int
    built: int
    planned: int


def parse_slice(text: str) -> Slice:
    """Reads `I/N`, I from 0.

    Raises:
        UsageProblem: Something else, or I is not below N.

    >>> parse_slice("0/8")
    Slice(part=0, of=8)
    """
    match = _SLICE.fullmatch(text)
    if match is None or not int(match["index"]) < int(match["of"]):
        raise UsageProblem(
            f"--slice {text}: I/N expected, with I from 0 to N - 1, e.g. 0/8 to 7/8."
        )
    return Slice(int(match["index"]), int(match["of"]))


def prepare_slice(request: Request, part: Slice) -> SliceDone:
    """Builds the shards of one slice, verifies those that stand, and writes nothing beside them.

    Raises:
        UsageProblem: No such dataset or split, or parameters other splits do not share.
        DataProblem: Raw files are missing or malformed.
        MachineProblem: The disk refuses, or what runs there cannot run beside this slice.
    """
    begun = time.time()
    found = opening(request)
    request = found.request
    make_folder(request.out)
    shards = built = planned = 0
    with one_of_many(request.out, request.dataset, part):
        prior = Prior(request.out, request.dataset, found.splits)
        prior.check_parameters(parameters_of(found), sample=found.raw.is_sample)
        opened = guarded(
            found.dataset,
            found.raw,
            request.parameters,
            out=request.out,
            workers=request.workers,
            strict=request.strict,
        )
        with ENGINES.load(request.engine)(request.workers) as engine:
            for split in found.splits:
                reading = opened.read(split, Books(split))
                per_shard = request.parameters.samples_per_shard
                count = shard_count(len(reading.pictures), per_shard)
                mine = sum(map(part.holds, range(count)))
                tasks = plan_shards(
                    found.dataset,
                    request.out,
                    split,
                    reading,
                    samples_per_shard=per_shard,
                    wanted=part.holds,
                    url=request.url,
                )
                outcomes = progress(
                    engine.map(ensure_shard, tasks, total=mine), total=mine, what=split
                )
                built += sum(bool(outcome.why) for outcome in outcomes)
                shards += mine
                planned += count
        log = {
            "begun": begun,
            "seconds": round(time.time() - begun, 3),
            "engine": request.engine,
            "workers": request.workers,
            "slice": f"{part.part}/{part.of}",
            "parameters": parameters_of(found),
            "splits": found.splits,
            "built": built,
            "kept": shards - built,
        }
        log_run(request.out, request.dataset, log, name=SLICE_LOG.format(*part))
    return SliceDone(part, tuple(found.splits), shards, built, planned)
