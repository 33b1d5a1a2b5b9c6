"""The pycocotools side of bench/coco-metric.ts: coco-metric.py TRUTH.json RESULTS.json prints seconds and figures as JSON."""

import contextlib
import io
import json
import sys
import time

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

with contextlib.redirect_stdout(io.StringIO()):
    start = time.perf_counter()
    truth = COCO(sys.argv[1])
    found = truth.loadRes(sys.argv[2])
    loaded = time.perf_counter()
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluated = time.perf_counter()
    evaluation.summarize()
print(
    json.dumps(
        {"load": loaded - start, "evaluate": evaluated - loaded, "stats": [float(value) for value in evaluation.stats]}
    )
)
