"""What an evaluation leaves behind: a document with its signature and stamp, and its store."""

from vle_bench.results.document import (
    SCHEMA,
    Metric,
    PublishedLine,
    References,
    ResultDocument,
    Stamp,
    document_bytes,
    read_document,
)
from vle_bench.results.signature import signature_line, signature_parts
from vle_bench.results.stamp import make_stamp
from vle_bench.results.store import StoredResult, result_folder, store_result, stored_results

__all__ = [
    "SCHEMA",
    "Metric",
    "PublishedLine",
    "References",
    "ResultDocument",
    "Stamp",
    "StoredResult",
    "document_bytes",
    "make_stamp",
    "read_document",
    "result_folder",
    "signature_line",
    "signature_parts",
    "store_result",
    "stored_results",
]
