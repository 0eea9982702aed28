"""The gate of `vle-eval check`: numbers that may not move unnoticed."""
