"""Shards: pictures and their annotations in plain tar files, with an index beside them.

A dataset folder holds `<split>/<name>-<split>-000000.tar` ..., `samples.parquet`,
`skipped.parquet`, `report.json` and a card. This package writes, scans, indexes
and reads them, and knows no dataset.
"""
