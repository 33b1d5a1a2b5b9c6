"""Writes what torchvision makes of the parts of a detector.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/detector.py

See detector_rules.py.
"""

import torch
from detector_rules import (
    ROI_WEIGHTS,
    RPN_WEIGHTS,
    anchors_of,
    detect,
    iou,
    match,
    numbers,
    propose,
    random_boxes,
    rounded,
    write,
)
from hashed import hashed, sampled
from torch.nn import functional as F
from torchvision import ops
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler, BoxCoder


def boxes_part():
    first, second = random_boxes(1, 12, 60, 80), random_boxes(5, 20, 60, 80)
    second[3] = first[2]
    second[4] = torch.tensor([first[1, 2], first[1, 1], first[1, 2] + 5, first[1, 3]])  # touches, no overlap
    overlap = {"first": numbers(first), "second": numbers(second), "iou": numbers(ops.box_iou(first, second))}

    coding = []
    for weights in (RPN_WEIGHTS, ROI_WEIGHTS):
        coder = BoxCoder(weights)
        sources, targets = random_boxes(10, 15, 60, 80), random_boxes(14, 15, 60, 80)
        deltas = rounded(hashed(20, (15, 3, 4), -6, 6))
        deltas[0, 0, 2:] = 100.0  # beyond the limit of growth
        coding.append(
            {
                "weights": weights,
                "sources": numbers(sources),
                "targets": numbers(targets),
                "encoded": numbers(coder.encode_single(targets, sources)),
                "deltas": numbers(deltas),
                "decoded": numbers(coder.decode_single(deltas.reshape(15, 12), sources)),
            }
        )

    suppression = []
    for threshold, groups in ((0.5, 1), (0.7, 1), (0.5, 3)):
        boxes = random_boxes(30, 120, 60, 80, smallest=20, largest=0.7)
        scores = (hashed(34, (120,), 0, 1) * 50).floor() / 64  # many are equal
        group = (hashed(35, (120,), 0, 1) * groups).long()
        kept = ops.batched_nms(boxes, scores, group, threshold)
        suppression.append(
            {
                "threshold": threshold,
                "boxes": numbers(boxes),
                "scores": numbers(scores),
                "groups": group.tolist(),
                "kept": kept.tolist(),
            }
        )
    write("boxes.json", "detector.py", {"overlap": overlap, "coding": coding, "suppression": suppression})


def anchors_part():
    c4 = {"height": 2, "width": 3, "stride": 16, "sizes": [32, 64, 128, 256, 512]}
    small = {"height": 3, "width": 2, "stride": 4, "sizes": [12, 24]}
    levels = [{**level, "anchors": numbers(anchors_of(*level.values()))} for level in (c4, small)]
    write("anchors.json", "detector.py", {"levels": levels})


def matching_part():
    cases = []
    anchors = anchors_of(6, 5, 16, [16, 32, 64])
    integers = random_boxes(50, 5, 96, 80, smallest=12).round()  # their centers give equal overlaps
    square = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    parts_of_it = torch.tensor([[0.0, 0.0, 10.0, h] for h in (2, 3, 5, 7, 10)])  # overlaps of exactly 0.3 and 0.7
    for truth, candidates, rule in (
        (random_boxes(40, 4, 96, 80, smallest=12), anchors, (0.3, 0.7, True)),
        (integers, anchors, (0.3, 0.7, True)),
        (integers, anchors, (0.3, 0.7, False)),
        (square, parts_of_it, (0.3, 0.7, False)),
        (integers, torch.cat([random_boxes(60, 150, 96, 80, smallest=12), integers]), (0.5, 0.5, False)),
    ):
        labels, best = match(iou(truth, candidates), *rule)
        cases.append(
            {
                "groundTruth": numbers(truth),
                "boxes": numbers(candidates),
                "low": rule[0],
                "high": rule[1],
                "allowLowQuality": rule[2],
                "labels": labels.tolist(),
                "best": best.tolist(),
            }
        )
    samples = []
    for positives, negatives, count, fraction in (
        (200, 900, 256, 0.5),
        (30, 900, 256, 0.5),
        (30, 100, 256, 0.5),
        (0, 400, 256, 0.5),
        (300, 20, 512, 0.25),
        (5, 9, 13, 0.25),
    ):
        labels = torch.cat([torch.ones(positives), torch.zeros(negatives), -torch.ones(40)])
        chosen = BalancedPositiveNegativeSampler(count, fraction)([labels])
        samples.append(
            {
                "positives": positives,
                "negatives": negatives,
                "count": count,
                "fraction": fraction,
                "chosen": [int(part[0].sum()) for part in chosen],
            }
        )
    write("matching.json", "detector.py", {"cases": cases, "samples": samples})


def selection_part():
    image = (70, 90)
    levels = []
    for seed, (height, width, stride, sizes) in enumerate([(6, 7, 16, [16, 32]), (3, 4, 32, [64])]):
        anchors = anchors_of(height, width, stride, sizes)
        logits = hashed(100 + seed, (len(anchors),), -3, 3)
        deltas = hashed(110 + seed, (len(anchors), 4), -0.6, 0.6)
        levels.append((anchors, logits, deltas))
    proposals = []
    for before_nms, after_nms in ((100, 1000), (60, 25), (1000, 1000)):
        boxes, scores = propose(levels, image, before_nms, after_nms)
        proposals.append(
            {"beforeNms": before_nms, "afterNms": after_nms, "boxes": numbers(boxes), "scores": numbers(scores)}
        )
    regions = random_boxes(120, 60, 70, 90, smallest=8)
    regions = rounded(ops.clip_boxes_to_image(regions, image))
    probabilities = rounded(F.softmax(3 * hashed(124, (60, 5), -1, 1), 1))
    deltas = hashed(125, (60, 16), -1, 1)
    boxes, scores, labels = detect(regions, probabilities, deltas, image)
    assert len(boxes) == 100
    detections = {
        "regions": numbers(regions),
        "probabilities": numbers(probabilities),
        "deltas": numbers(deltas),
        "boxes": numbers(boxes),
        "scores": numbers(scores),
        "classes": labels.tolist(),
    }
    levels = [
        {"anchors": numbers(anchors), "objectness": numbers(logits), "deltas": numbers(deltas)}
        for anchors, logits, deltas in levels
    ]
    content = {"height": image[0], "width": image[1], "levels": levels}
    write("selection.json", "detector.py", {**content, "proposals": proposals, "detections": detections})


def roi_align_part():
    height, width, channels = 9, 12, 2
    inside = torch.tensor([[10.0, 12.0, 60.0, 90.0], [16.0, 16.0, 128.0, 96.0]])
    cases = {
        "inside": [inside, random_boxes(200, 5, 100, 150, smallest=10, largest=0.3).clamp(0, 140)],
        "over the border": [
            torch.tensor([[-40.0, -30.0, 50.0, 60.0], [150.0, 100.0, 260.0, 200.0], [-10.0, 20.0, 210.0, 130.0]]),
            random_boxes(210, 6, 144, 192, smallest=20, largest=1.5),
        ],
        "outside": [torch.tensor([[-90.0, -90.0, -40.0, -40.0], [230.0, 10.0, 300.0, 60.0]]), inside],
        "tiny": [
            torch.tensor([[50.0, 50.0, 50.5, 51.0], [70.0, 20.0, 70.0, 20.0]]),
            random_boxes(220, 3, 144, 192, smallest=0.1, largest=0.05),
        ],
        "huge": [torch.tensor([[-500.0, -400.0, 900.0, 700.0]]), torch.tensor([[0.0, 0.0, 192.0, 144.0]])],
        "none in one image": [torch.zeros(0, 4), inside],
    }
    content = []
    for seed, (name, rois) in enumerate(cases.items()):
        rois = [rounded(boxes) for boxes in rois]
        for resolution, ratio in ((7, 2), (7, 0), (14, 0), (3, 1)):
            x = hashed(300 + seed, (2, height, width, channels), -1, 1).permute(0, 3, 1, 2).clone().requires_grad_()
            y = ops.roi_align(x, rois, resolution, 1 / 16, sampling_ratio=ratio or -1, aligned=True).permute(0, 2, 3, 1)
            (y * hashed(400, y.shape, -1, 1)).sum().backward()
            content.append(
                {
                    "name": f"{name}, {resolution} bins, sampling ratio {ratio}",
                    "seed": 300 + seed,
                    "resolution": resolution,
                    "samplingRatio": ratio,
                    "rois": [numbers(boxes) for boxes in rois],
                    # 14 bins are many numbers: a sample of them.
                    "output": numbers(sampled(y) if resolution == 14 else y),
                    "gradient": numbers(x.grad.permute(0, 2, 3, 1)),
                }
            )
    write("roi-align.json", "detector.py", {"height": height, "width": width, "channels": channels, "cases": content})


boxes_part()
anchors_part()
matching_part()
selection_part()
roi_align_part()
