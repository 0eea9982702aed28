"""Files that users hand us, told apart by content and never trusted.

JSON, JSONL, CSV/TSV, NPY/NPZ and Parquet, each plain or behind gzip or zstd.
Everything here either returns checked data or raises `DataProblem` with the
place, what was found and what was expected. Archives of arrays (`npz`, `mapped`)
are imported by who reads them.
"""

from vle_bench.inputs.arrays import read_array
from vle_bench.inputs.bytes import Source, open_source
from vle_bench.inputs.json import decode_json, read_json, read_json_lines
from vle_bench.inputs.rows import Row, read_rows

__all__ = [
    "Row",
    "Source",
    "decode_json",
    "open_source",
    "read_array",
    "read_json",
    "read_json_lines",
    "read_rows",
]
