"""When two thumbnails show the same picture: a hash proposes, a correlation confirms.

Both come from the thumbnail's lowest 16 x 16 frequencies (a cosine transform).
The hash keeps, for 64 of them, whether a coefficient is clearly positive; the
correlation is taken of all without the six lowest, which hold what half of all
photographs have in common: brighter above than below, darker at the edges.

The surprising fact: the plain sign of a coefficient fails on symmetric pictures,
where half of the coefficients are zero and rounding decides; hence "clearly".
Integers throughout, so that every machine finds the same hash. Idea of such
hashes: http://www.hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from vle_bench.data_prep.overlap.thumbnail import SIDE

BITS: Final = 64
MOST_BITS: Final = 7
"""Bits in which the hashes of copies may differ; `HashIndex` finds all pairs up to here."""

LEAST_CORRELATION: Final = 0.95
LEAST_TEXTURE: Final = 3.5
"""Grey levels; a picture with less is featureless (flat, a slope, fog) and not judged."""

LEAST_SIDE: Final = 24
"""Pixels; a picture with a shorter side holds too little to be judged."""

_BANDS = 4
_LOW = 16
_SHARED = 2
_SMOOTH = 6
_ONE = 1024
_CLEARLY = 8

Thumbnails = npt.NDArray[np.uint8]
"""Shape [N, 32, 32]."""
Spectra = npt.NDArray[np.float64]
"""Shape [N, 16, 16], integers: coefficients of low frequencies, times `_SCALE`."""
Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]


def _cosines() -> Floats:
    frequency, place = np.arange(_LOW)[:, None], np.arange(SIDE)[None, :]
    rows = np.cos(np.pi * (2 * place + 1) * frequency / (2 * SIDE))
    rows[0] /= np.sqrt(2.0)
    return np.round(_ONE * rows)


_COSINES = _cosines()
_SCALE = (_ONE * np.sqrt(SIDE / 2)) ** 2
_SUM = np.add.outer(np.arange(_LOW), np.arange(_LOW))
_OWN = _SUM > _SHARED
"""Frequencies in which pictures differ; the others are brightness and the broadest slopes."""
_FINE = _SUM > _SMOOTH
"""Frequencies that a picture without detail has little of; a slope has its overtones below."""
_HASHED = np.argsort(_SUM.ravel(), kind="stable")[1 : 1 + BITS]
# Neighbouring frequencies go to different bands: what harms one harms its neighbours.
_PLACES = np.array([(bit % _BANDS) * (BITS // _BANDS) + bit // _BANDS for bit in range(BITS)])


def spectra(thumbnails: Thumbnails) -> Spectra:
    """The low frequencies of thumbnails, shape [N, 16, 16], exact."""
    return _COSINES @ thumbnails.astype(np.float64) @ _COSINES.T


def hashes(found: Spectra) -> Hashes:
    """A hash of 64 bits for each spectrum, shape [N].

    >>> slope = np.tile(np.arange(32, dtype=np.uint8), (1, 32, 1))
    >>> int(hashes(spectra(slope))[0]) == int(hashes(spectra(slope + 100))[0])
    True
    """
    chosen = found.reshape(len(found), _LOW * _LOW)[:, _HASHED]
    clearly = np.abs(chosen).mean(axis=1, keepdims=True) / _CLEARLY
    weights = np.left_shift(np.uint64(1), _PLACES.astype(np.uint64))
    bits = np.where(chosen > clearly, weights, np.uint64(0))
    found_hashes: Hashes = bits.sum(axis=1, dtype=np.uint64)
    return found_hashes


def texture(found: Spectra) -> Floats:
    """How much detail a picture shows: standard deviation of its finer part in grey levels.

    >>> float(texture(spectra(np.full((1, 32, 32), 200, np.uint8)))[0])
    0.0
    """
    fine = found[:, _FINE] / _SCALE
    deviation: Floats = np.sqrt(np.square(fine).sum(axis=1)) / SIDE
    return deviation


def correlation(one: Spectra, other: Spectra) -> Floats:
    """How alike pairs of pictures are beside their broadest slopes, from -1 to 1; shape [N].

    Args:
        one: Spectra of the first of each pair.
        other: Spectra of the second; a flat picture is like nothing (0).
    """
    first, second = one[:, _OWN], other[:, _OWN]
    norms = np.sqrt(np.square(first).sum(axis=1) * np.square(second).sum(axis=1))
    products: Floats = (first * second).sum(axis=1)
    return np.divide(products, np.where(norms > 0, norms, 1.0))
