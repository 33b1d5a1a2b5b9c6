"""The implementations that the detection metrics are compared with: pycocotools, and mean-average-precision for VOC.

Reads {"kind": "masks" | "coco" | "voc", "cases": [...]} as JSON on stdin and writes the list of answers to stdout.
"""

import contextlib
import io
import json
import sys

import numpy as np
import pandas as pd
from mean_average_precision.mean_average_precision_2d import MeanAveragePrecision2d
from mean_average_precision.utils import (
    compute_average_precision,
    compute_average_precision_with_recall_thresholds,
    compute_match_table,
)
from pycocotools import mask as mask_api
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def masks(case):
    """A polygon list, or a pair of bitmaps as row-major lists, by COCO's mask API."""
    height, width = case["size"]
    if "polygons" in case:
        rle = mask_api.merge(mask_api.frPyObjects(case["polygons"], height, width))
        return {"counts": rle["counts"].decode(), "area": int(mask_api.area(rle))}
    first, second = (
        mask_api.encode(np.asfortranarray(np.array(bitmap, np.uint8).reshape(height, width)))
        for bitmap in case["bitmaps"]
    )
    box = mask_api.toBbox(first)
    return {
        "counts": first["counts"].decode(),
        "area": int(mask_api.area(first)),
        "box": [float(v) for v in (box[0], box[1], box[0] + box[2], box[1] + box[3])],
        "union": mask_api.merge([first, second])["counts"].decode(),
        "iou": float(mask_api.iou([first], [second], [0])[0, 0]),
        "iouWithCrowd": float(mask_api.iou([first], [second], [1])[0, 0]),
    }


def coco(case):
    """The 12 figures of COCOeval for case["iouType"]; -1 where there is nothing to find."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = case["truth"]
        truth.createIndex()
        # loadRes does not take an empty list.
        found = truth.loadRes(case["results"]) if case["results"] else COCO()
        evaluation = COCOeval(truth, found, case["iouType"])
        evaluation.params.maxDets = case["maxDets"]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats = [float(value) for value in evaluation.stats]
    # summarize() takes the first figure at 100 detections whatever maxDets says.
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    stats[0] = float(np.mean(precision[precision > -1])) if (precision > -1).any() else -1.0
    return stats


def voc(case):
    """AP of each category at each IoU threshold, None where nothing is to be found."""
    count, thresholds = case["categoryCount"], case["thresholds"]
    metric = MeanAveragePrecision2d(count)
    positives = np.zeros((1, count), int)
    tables = [[] for _ in range(count)]
    for image, content in enumerate(case["images"]):
        truth = np.array(content["truth"], float).reshape(-1, 7)  # x1, y1, x2, y2, category, difficult, crowd
        for category in range(count):
            objects = truth[truth[:, 4] == category]
            positives[0, category] += np.sum(objects[:, 5] == 0)
            for row in content["found"]:  # x1, y1, x2, y2, category, score
                if row[4] == category:
                    tables[category].append(compute_match_table(np.array([row]), objects, image))
    # Not by metric.add(): given several detections it mixes up the difficult flags, and it counts difficult objects as
    # ones to be found. Both are against the rule of VOC.
    metric.class_counter = positives
    for category in range(count):
        if tables[category]:
            metric.match_table[category] = pd.concat(tables[category])
    values = metric.value(iou_thresholds=thresholds)
    answer = []
    for category in range(count):
        if positives[0, category] == 0:
            answer.append(None)
            continue
        row = []
        for threshold in thresholds:
            curve = values[threshold][category]["precision"], values[threshold][category]["recall"]
            row.append(
                [
                    float(compute_average_precision_with_recall_thresholds(*curve, np.arange(0.0, 1.1, 0.1))),
                    float(compute_average_precision(*curve)),
                ]
            )
        answer.append(row)
    return answer


request = json.load(sys.stdin)
json.dump([globals()[request["kind"]](case) for case in request["cases"]], sys.stdout)
