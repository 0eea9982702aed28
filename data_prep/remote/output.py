"""Where a run writes: a folder, or a URL with a stage on this machine.

Inside the block of a remote output the run works as ever, in the stage; shards
leave it one by one. The tree that results is, byte for byte, that of a local run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from vle_bench.atomic import make_folder
from vle_bench.data_prep.journal import Slice
from vle_bench.data_prep.remote.lease import kind_of, leased
from vle_bench.data_prep.remote.mirror import Mirror
from vle_bench.data_prep.remote.store import store_of
from vle_bench.data_prep.remote.urls import as_path, is_url, normal, stage_for
from vle_bench.errors import UsageProblem, VleBenchError, machine_errors


class Output(NamedTuple):
    """Where a run writes.

    Attributes:
        folder: The folder to work in.
        url: What takes the shards; "" where the folder keeps them.
        part: The slice that is written, None for a whole run.
    """

    folder: Path
    url: str
    part: Slice | None

    def shown(self, dataset: str) -> str:
        """Where the dataset ends up, for people."""
        return f"{self.url}/{dataset}" if self.url else str(self.folder / dataset)


def output_of(text: str, stage: Path | None = None, *, part: Slice | None = None) -> Output:
    """The output that a user named.

    Args:
        text: A folder or a URL.
        stage: Where shards for a URL are made; none for the cache folder of the user.
        part: The slice that is to be written, if it is one.

    Raises:
        UsageProblem: A URL that cannot be one, or a stage for a folder.
    """
    if not is_url(text):
        if stage is not None:
            raise UsageProblem(f"--stage is for an --out that is a URL, {text} is a folder.")
        return Output(as_path(text), "", part)
    url = normal(text)
    return Output(stage_for(url, stage) / kind_of(part), url, part)


@contextmanager
def writing(output: Output, dataset: str) -> Iterator[None]:
    """The time in which a run writes to an output; nothing to do where that is a folder.

    Args:
        output: Where.
        dataset: The dataset's name.

    Raises:
        MachineProblem: Another run is writing there, or the store refuses.
    """
    if not output.url:
        yield
        return
    store = store_of(output.url)
    mirror = Mirror(store, output.folder, dataset)
    with _in_its_words(output), leased(store, output.folder.parent, dataset, output.part):
        _empty(output.folder)  # nothing that a killed run left here is ever sent
        mirror.forget_unfinished(output.part)
        mirror.fetch()
        yield
        mirror.send(whole=output.part is None)
        _empty(output.folder)


def most_workers(output: Output, workers: int) -> int:
    """How many processes can write there: one, where only this process sees the store."""
    return 1 if output.url and store_of(output.url).alone else workers


def _empty(folder: Path) -> None:
    with machine_errors(folder):
        if folder.is_dir():
            shutil.rmtree(folder)
    make_folder(folder)


@contextmanager
def _in_its_words(output: Output) -> Iterator[None]:
    """Problems name the URL, not the stage that the user never asked for."""
    try:
        yield
    except VleBenchError as problem:
        text = str(problem)
        said = text.replace(str(output.folder), output.url)
        if said == text:
            raise
        raise type(problem)(said) from problem
