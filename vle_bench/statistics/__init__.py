"""How sure a score is: intervals by resampling pictures."""

from vle_bench.statistics.bootstrap import Interval, percentile_interval, resampled_ratios

__all__ = ["Interval", "percentile_interval", "resampled_ratios"]
