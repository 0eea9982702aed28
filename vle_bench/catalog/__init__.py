"""Reads the facts in `manifests/`: datasets, published scores, class names, word tables."""
