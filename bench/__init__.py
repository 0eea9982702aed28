"""Benchmarks: ratios within one run, against peers and floors."""
