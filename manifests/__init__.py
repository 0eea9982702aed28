"""Facts as data: files, licences, counts, published scores. Read through `vle_bench.catalog`."""
