"""VLE bench: prepares vision-language data and measures vision-language encoders.

`vle_bench.data_prep` turns raw downloads into shards, `vle_bench.eval` turns
predictions into scores; both speak the records that live beside this file.
Importing the package opens, registers and logs nothing.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
