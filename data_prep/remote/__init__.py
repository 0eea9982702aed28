"""Output to a remote store: shards go there whole, one completed upload each."""
