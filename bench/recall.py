"""R@1, R@5 and R@10 of a full matrix beside the libraries that compute them.

Each peer is given the scores in the form that it asks for, made before the clock
runs, and the direction that it can do: torchmetrics and ranx rank texts for
pictures, any right one counting; scikit-learn ranks pictures for texts, which have
one each. Ours does both directions and the tie rules. Peers that are not installed
are left out and named.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from bench.contest import Contest
from bench.entrant import Work, program
from bench.retrieval import owners_of

OURS = "vle-bench, both directions"
TORCHMETRICS, RANX, SKLEARN = "torchmetrics, i2t", "ranx, i2t", "scikit-learn, t2i"
DEPTHS = (1, 5, 10)
_SCORES = "scores.npy"
_SEED = 11
_LIFT = 2.5

Recalls = dict[str, float]
Scores = npt.NDArray[np.float32]


def contest(place: Path, pictures: int, texts: int) -> Contest:
    """Draws the matrix and names whoever is installed."""
    draw(place, pictures, texts)
    functions: dict[str, Callable[[Path], Work]] = {OURS: ours}
    for name, function, package in (
        (TORCHMETRICS, torchmetrics, "torchmetrics"),
        (RANX, ranx, "ranx"),
        (SKLEARN, sklearn, "sklearn"),
    ):
        if find_spec(package):
            functions[name] = function
        else:
            click.echo(f"{package} is NOT INSTALLED: recall is measured without it")
    return Contest(
        name="recall",
        title=f"R@1, R@5, R@10 of {pictures:,} pictures and {texts:,} texts, from scores",
        given="float32 scores, drawn, in the form that each asks for",
        place=place,
        programs=tuple(program(name, one, place) for name, one in functions.items()),
        floor=OURS,
        most_rounds=3,
    )


def draw(place: Path, pictures: int, texts: int) -> None:
    """Noise, and a lift for the pairs that belong together."""
    generator = np.random.default_rng(_SEED)
    scores = generator.standard_normal((pictures, texts), dtype=np.float32)
    scores[owners_of(texts, pictures), np.arange(texts)] += _LIFT
    np.save(place / _SCORES, scores)


def ours(place: Path) -> Work:
    """Both directions, pessimistic ties."""
    from vle_bench.eval.retrieval.counting import count_both
    from vle_bench.eval.retrieval.gold import Gold
    from vle_bench.eval.retrieval.similarity import MatrixSimilarity
    from vle_bench.eval.retrieval.ties import hits

    scores, owners = _load(place)
    gold = Gold(
        image_ids=("",) * scores.shape[0],
        text_ids=("",) * scores.shape[1],
        captioned=scores.shape[0],
        pairs=np.column_stack([owners, np.arange(len(owners))]),
        first_image=owners,
    )

    def work() -> Recalls:
        counted = count_both(MatrixSimilarity(scores), gold)
        return {
            f"{name}_r{depth}": float(hits(side.counts, "pessimistic", at=depth).mean())
            for name, side in counted.items()
            for depth in DEPTHS
        }

    return work


def torchmetrics(place: Path) -> Work:
    """Whether any of the best K is right, query after query."""
    import torch
    from torchmetrics.retrieval import RetrievalHitRate

    scores, owners = _load(place)
    pictures, texts = scores.shape
    flat = torch.from_numpy(scores.ravel())
    target = torch.from_numpy((owners[None, :] == np.arange(pictures)[:, None]).ravel())
    queries = torch.arange(pictures).repeat_interleave(texts)

    def work() -> Recalls:
        return {
            f"i2t_r{depth}": float(RetrievalHitRate(top_k=depth)(flat, target, indexes=queries))
            for depth in DEPTHS
        }

    return work


def ranx(place: Path) -> Work:
    """Hit rates of a run of dictionaries."""
    import ranx as library

    scores, owners = _load(place)
    names = [str(number) for number in range(scores.shape[1])]
    right = {
        str(picture): {names[text]: 1 for text in np.flatnonzero(owners == picture)}
        for picture in range(len(scores))
    }
    run = {str(picture): dict(zip(names, row, strict=True)) for picture, row in enumerate(
        scores.tolist())}  # fmt: skip
    metrics = [f"hit_rate@{depth}" for depth in DEPTHS]
    # It is compiled at the first call, for a minute and more.
    library.evaluate(library.Qrels({"q": {"d": 1}}), library.Run({"q": {"d": 1.0}}), metrics)

    def work() -> Recalls:
        found = library.evaluate(library.Qrels(right), library.Run(run), metrics)
        return {f"i2t_r{depth}": float(found[f"hit_rate@{depth}"]) for depth in DEPTHS}

    return work


def sklearn(place: Path) -> Work:
    """Top-k accuracy with pictures for classes."""
    from sklearn.metrics import top_k_accuracy_score

    scores, owners = _load(place)
    by_text = np.ascontiguousarray(scores.T)
    classes = np.arange(len(scores))

    def work() -> Recalls:
        return {
            f"t2i_r{depth}": float(top_k_accuracy_score(owners, by_text, k=depth, labels=classes))
            for depth in DEPTHS
        }

    return work


def _load(place: Path) -> tuple[Scores, npt.NDArray[np.int64]]:
    scores: Scores = np.load(place / _SCORES)
    return scores, owners_of(scores.shape[1], scores.shape[0])
