"""The small files of a remote dataset, here while a run works with them.

Indexes, card and report are made from files. What a run reads of those before
it is fetched first; those that it wrote are sent when it is done, unless the
store holds them already, and `report.json`, which vouches for the others, last.
Shards never come along.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from vle_bench.atomic import make_folder
from vle_bench.canonical import sha256_file
from vle_bench.data_prep.journal import FOLDER, Slice
from vle_bench.data_prep.own_folder import has_report, refuse_strangers
from vle_bench.data_prep.remote.lease import LEASES
from vle_bench.data_prep.remote.store import Store, Stored
from vle_bench.errors import UsageProblem
from vle_bench.shards.layout import REPORT, SAMPLES, SKIPPED, number_of
from vle_bench.shards.report import read_report

_SHARD = ".tar"
_SHARD_INDEX = ".tar.idx"
_LOG = ".jsonl"
_ASIDE = ".tmp"
_THREADS = 4


class Mirror:
    """The small files of one dataset.

    Args:
        store: Where the dataset lies.
        stage: The folder that stands for it on this machine.
        dataset: The dataset's name.
    """

    def __init__(self, store: Store, stage: Path, dataset: str) -> None:
        self._store = store
        self._stage = stage
        self._dataset = dataset
        self._there: dict[str, Stored] = {}

    def forget_unfinished(self, part: Slice | None) -> None:
        """Ends uploads that a killed run began; of a slice, those of its own shards."""
        for name, token in self._store.unfinished(self._dataset):
            if part is None or _of_slice(name, self._dataset, part):
                self._store.give_up(name, token)

    def fetch(self) -> None:
        """Makes what a run reads of earlier ones here what it is there.

        Raises:
            UsageProblem: What lies there is somebody else's.
            MachineProblem: The store or the disk refuses.
        """
        self._there = self._store.find(self._dataset)
        journal = f"{FOLDER}/{self._dataset}"
        known = False
        for name in self._store.find(journal):
            inner = PurePosixPath(name).relative_to(journal)
            known = known or inner.parts[0] != LEASES
            if len(inner.parts) > 1 and inner.parts[0] != LEASES:
                make_folder(self._stage / journal / inner.parts[0])  # tells that it was built
            elif inner.suffix == _LOG:
                self._fetch(name)
        for name in (f"{self._dataset}/{one}" for one in (REPORT, SAMPLES, SKIPPED)):
            if name in self._there:
                self._fetch(name)
        if not known and not has_report(self._stage / self._dataset):
            names = (name.removeprefix(f"{self._dataset}/") for name in self._there)
            self._keep_out()
            refuse_strangers(self._dataset, names, f"{self._store.url}/{self._dataset}")
        for name in self._there:
            file = PurePosixPath(name).name
            if file.startswith(".") and file.endswith(_ASIDE):
                self._store.remove(name)

    def _keep_out(self) -> None:
        """Raises UsageProblem where the URL is that of a prepared dataset, as `own_folder` does."""
        if self._store.stat(REPORT) and self._store.stat(SAMPLES):
            raise UsageProblem(
                f"--out {self._store.url}: is a prepared dataset, where vle-prep verify would call "
                "what is written an extra file. Choose a place beside it."
            )

    def send(self, *, whole: bool) -> None:
        """Puts what is here there, where it is another, the report last.

        Args:
            whole: False after a slice, which has nothing to send but its log.

        Raises:
            MachineProblem: The store refuses; a report there still fits to older files then.
        """
        if whole:
            self._send_beside()
        for path in sorted((self._stage / FOLDER / self._dataset).glob(f"*{_LOG}")):
            self._send(path)

    def _send_beside(self) -> None:
        folder = self._stage / self._dataset
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        files = [path for path in found if path.suffix != _SHARD and path != folder / REPORT]
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(self._send, files))
        self._remove_indexes()
        self._send(folder / REPORT)

    def _fetch(self, name: str) -> None:
        self._store.download(name, self._stage / name)

    def _send(self, path: Path) -> None:
        name = path.relative_to(self._stage).as_posix()
        there = self._there.get(name)
        if there is None or not self._store.same(name, there, path):
            self._store.upload(name, path, sha256_file(path))

    def _remove_indexes(self) -> None:
        """Removes the indexes of shards that are no more."""
        known = read_report(self._stage / self._dataset).files
        for name in self._there:
            inner = name.removeprefix(f"{self._dataset}/")
            if name.endswith(_SHARD_INDEX) and inner not in known:
                self._store.remove(name)


def _of_slice(name: str, dataset: str, part: Slice) -> bool:
    place = PurePosixPath(name)
    number = number_of(place.name, dataset=dataset, split=place.parent.name)
    return number is not None and part.holds(number)
