"""A small drawn world in the official raw formats of every dataset.

The surprising fact: it is not random. Every picture, id and sentence follows from
the seed, and every annotation is the very polygon that was painted.
"""

from vle_bench.data_prep.sample_world.build import SampleWorldSummary, build_sample_world

__all__ = ["SampleWorldSummary", "build_sample_world"]
