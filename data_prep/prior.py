"""What an earlier run left in the output, and whether this run fits to it.

A further split joins the others; a changed parameter or raw file does not pass
unnoticed. Splits that are prepared again are rebuilt and the change is named;
where a split that is not part of this run would be left behind with other
labels or other parameters, nothing is touched and the user is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vle_bench.canonical import sha256_bytes, sha256_file
from vle_bench.console import amount
from vle_bench.data_prep.books import Books
from vle_bench.data_prep.journal import FOLDER
from vle_bench.data_prep.leaks.evidence import EXCLUDED
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.shards.layout import REPORT
from vle_bench.shards.report import Counts, Report, RuleReport, SplitReport, read_report, seal_fits


class Prior:
    """The report of the last finished run, if there is one.

    Args:
        out: The output folder.
        dataset: The dataset's name.
        splits: The splits of this run.

    Raises:
        DataProblem: A damaged report would be needed for splits that this run leaves alone.
    """

    def __init__(self, out: Path, dataset: str, splits: Sequence[str]) -> None:
        self._splits = frozenset(splits)
        self._folder = out / dataset
        self._report = self._read(out / FOLDER / dataset)

    @property
    def other_splits(self) -> dict[str, SplitReport]:
        """Reports of splits that stand and are not part of this run."""
        known = self._report.splits if self._report else {}
        return {name: split for name, split in known.items() if name not in self._splits}

    @property
    def other_files(self) -> dict[str, str]:
        """sha256 of the files in the folders of those splits, by path."""
        known = self._report.files if self._report else {}
        return {
            name: digest
            for name, digest in known.items()
            if name.partition("/")[0] in self.other_splits and "/" in name
        }

    def check_parameters(self, parameters: Mapping[str, str | int], *, sample: bool) -> list[str]:
        """Names each parameter that is another than at the last run.

        Raises:
            UsageProblem: A split that this run leaves alone was made with the other value.
            DataProblem: Such a split is of the sample world and this run is not, or vice versa.
        """
        if self._report is None:
            return []
        if self.other_splits and self._report.sample != sample:
            raise DataProblem(
                f"{self._folder}: {self._others()} of it is "
                f"{'the sample world' if self._report.sample else 'real data'}, the raw folder is "
                f"{'the sample world' if sample else 'real data'}. Choose another --out."
            )
        before = self._report.parameters
        if "subset_of" in before:
            raise UsageProblem(
                f"{self._folder}: holds a subset that vle-prep subset made. Choose another --out."
            )
        changes = [
            f"{name.replace('_', '-')} was {before[name]}, is {value}"
            for name, value in parameters.items()
            if name in before and before[name] != value
        ]
        if changes and self.other_splits:
            # No run by one scheme takes along the splits that only another has.
            cure = (
                f"Choose another --out, or remove {self._folder}."
                if before.get("scheme", "") != parameters.get("scheme", "")
                else "Prepare all splits together (no --split), or choose another --out."
            )
            raise UsageProblem(
                f"{self._folder}: {'; '.join(changes)}, but {self._others()} would keep the old. "
                f"{cure}"
            )
        return changes

    def check_shared(self, shared: Mapping[str, bytes]) -> None:
        """Files on which every split depends must be those of the splits left alone.

        Raises:
            DataProblem: They would change.
        """
        if self._report is None or not self.other_splits:
            return
        for name, content in shared.items():
            if self._report.files.get(name) != sha256_bytes(content):
                raise DataProblem(
                    f"{self._folder / name}: would change, because raw files changed or came since "
                    f"{self._others()} was prepared, and its labels would no longer fit. "
                    "Prepare all splits together (no --split)."
                )

    def check_sources(self, books: Books, *, others: bool) -> list[str]:
        """Names each annotation file of a split that is another than at the last run.

        Args:
            books: The split's.
            others: Whether parameters are other than then: other files are read by them, and none
                of those is gone or new for that.

        Raises:
            DataProblem: A split that this run leaves alone was made from the older file.
        """
        if self._report is None:
            return []
        for name, other in self.other_splits.items():
            for source, digest in books.sources.items():
                if other.sources.get(source, digest) != digest:
                    raise DataProblem(
                        f"{source}: changed since split {name} was prepared from it. "
                        "Prepare all splits together (no --split), or choose another --out."
                    )
        before = self._report.splits.get(books.split)
        return list(_source_changes(before.sources, books.sources, others)) if before else []

    def overlap_of(self, split: str) -> tuple[RuleReport, ...]:
        """What the rules of the leak guard saw when the split was last prepared."""
        before = self._report.splits.get(split) if self._report else None
        return before.overlap if before else ()

    def picture_changes(self, split: str, now: Counts) -> list[str]:
        """Names each reason for which another number of pictures is left out than at the last run.

        A picture whose file came or went moves all later ones, so whole shards are built again;
        no annotation file tells of that. What the leak guard left out it tells by itself.
        """
        last = self._report.splits.get(split) if self._report else None
        if last is None:
            return []
        before = last.counts["image"].skipped
        reasons = sorted({*before, *now.skipped} - {EXCLUDED})
        counts = [(reason, before.get(reason, 0), now.skipped.get(reason, 0)) for reason in reasons]
        return [
            f"{reason}: {amount(new, 'picture')}, {old:,} at the last run"
            for reason, old, new in counts
            if old != new
        ]

    def vouch_for(self, name: str) -> None:
        """The index beside the splits left alone must still be the one their report knows.

        Raises:
            DataProblem: It was changed or lost since.
        """
        path = self._folder / name
        known = self._report.files.get(name) if self._report else None
        if known is None or sha256_file(path) != known:
            raise DataProblem(
                f"{path}: is not the file that the last run wrote, and {self._others()} needs it. "
                "Prepare all splits together (no --split)."
            )

    def _others(self) -> str:
        return " and ".join(f"split {name}" for name in self.other_splits)

    def _read(self, journal: Path) -> Report | None:
        if not (self._folder / REPORT).is_file():
            return None
        try:
            return self._whole_report()
        except DataProblem as error:
            built = {path.name for path in journal.iterdir() if path.is_dir()}
            if built <= self._splits:
                return None
            raise DataProblem(f"{error}\nPrepare all splits together (no --split).") from error

    def _whole_report(self) -> Report:
        """The report; one that changed would lead this run to write its changes anew."""
        report = read_report(self._folder)
        if report.seal and not seal_fits(self._folder):
            raise DataProblem(f"{self._folder / REPORT}: changed since it was written.")
        return report


def _source_changes(
    before: Mapping[str, str], now: Mapping[str, str], others: bool
) -> Iterator[str]:
    for name in sorted({*before} & {*now} if others else {*before, *now}):
        if name not in now:
            yield f"raw file {name} is gone"
        elif name not in before:
            yield f"raw file {name} is new"
        elif before[name] != now[name]:
            yield f"raw file {name} changed"
