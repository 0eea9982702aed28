"""Why one item of a stored result scored as it did."""
