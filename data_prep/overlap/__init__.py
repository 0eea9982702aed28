"""Pictures shared between training shards and evaluation splits: by id, by bytes, by looks."""
