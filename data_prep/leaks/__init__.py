"""Evaluation pictures in training data: how they are known again, and kept out."""
