"""Class names: how they are cleaned, counted into a vocabulary, joined, and found in captions."""
