"""From raw downloads to verified shards."""
