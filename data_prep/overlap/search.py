"""The whole comparison: evaluation pictures into memory, training shards past them.

Memory grows with the evaluation side only, by about 1.2 kilobytes a picture (twice
that for a moment); a training corpus of any size goes by shard after shard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from vle_bench.data_prep.overlap.compare import EvaluationPictures, Pair, judged
from vle_bench.data_prep.overlap.findings import Findings, findings
from vle_bench.data_prep.overlap.fingerprints import seen_shards
from vle_bench.data_prep.overlap.pictures import Pictures, joined, pictures_of
from vle_bench.data_prep.overlap.sides import Place, ShardRows, Side


@dataclass
class Search:
    """One comparison.

    Attributes:
        training: The side that is searched.
        evaluation: What it is searched for.
        workers: Processes that decode pictures.
        looks: Whether pictures are looked at; else ids and bytes alone count.
        not_kept: Shards whose fingerprints could not be written.
    """

    training: Side
    evaluation: Side
    workers: int = 1
    looks: bool = True
    not_kept: int = field(default=0, init=False)

    def run(self, step: Callable[[], None]) -> Findings:
        """Everything that both sides share.

        Args:
            step: Called once for each picture.

        Raises:
            DataProblem: A shard or an index is damaged or gone.
            MachineProblem: A file cannot be read.
        """
        seen: dict[Place, Counter[str]] = {}
        with closing(self._pictures(self.evaluation, seen, step)) as shards:
            parts = sorted(shards, key=lambda part: part[0])
        known = EvaluationPictures(joined([pictures for _, pictures in parts]))
        del parts
        passed: dict[Place, Counter[str]] = {}
        pairs: list[Pair] = []
        with closing(self._pictures(self.training, passed, step)) as shards:
            for _, pictures in shards:
                pairs += known.shared(pictures)
        return findings((self.training, self.evaluation), (passed, seen), pairs)

    def _pictures(
        self, side: Side, counts: dict[Place, Counter[str]], step: Callable[[], None]
    ) -> Generator[tuple[tuple[Place, str], Pictures], None, None]:
        """The shards of a side, in no fixed order, each under its name."""
        for shard, pictures in self._shards(side, step):
            counts.setdefault(shard.place, Counter()).update(judged(pictures))
            yield (shard.place, shard.report.name), pictures

    def _shards(self, side: Side, step: Callable[[], None]) -> Iterator[tuple[ShardRows, Pictures]]:
        if not self.looks:
            for shard in side.shards():
                yield shard, pictures_of(shard, None)
                for _ in shard.rows:
                    step()
            return
        for seen in seen_shards(side.shards(), workers=self.workers, step=step):
            self.not_kept += not seen.kept
            yield seen.shard, pictures_of(seen.shard, seen.prints)
