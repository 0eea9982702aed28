"""Which datasets can be prepared. Other distributions add theirs by entry point."""

from __future__ import annotations

from vle_bench.registry import Registry

DATASETS = Registry(
    "dataset that vle-prep can prepare",
    {
        "cc3m": "vle_bench.data_prep.datasets.cc3m:CC3M",
        "coco": "vle_bench.data_prep.datasets.coco:DATASET",
        "flickr30k": "vle_bench.data_prep.datasets.flickr30k:DATASET",
        "flickr30k-cn": "vle_bench.data_prep.datasets.flickr30k_cn:DATASET",
        "sbu": "vle_bench.data_prep.datasets.sbu:SBU",
        "vcr": "vle_bench.data_prep.datasets.vcr:VCR",
        "vg": "vle_bench.data_prep.datasets.vg:VG",
        "vqav2": "vle_bench.data_prep.datasets.vqav2:VQAV2",
    },
    group="vle_bench.datasets",
)
