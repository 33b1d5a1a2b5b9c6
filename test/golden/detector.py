"""Writes what torchvision makes of the parts of a detector, and one training step of a narrow one in PyTorch.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/detector.py

What torchvision does as detectron2 does is taken from torchvision; where they differ (anchors, selection of proposals and of
detections, losses), detectron2's rule is written out here in PyTorch. All is computed in float64 from float32 numbers. The
weights of the narrow detector are not stored: both languages compute them from a hash (test/nn/hashed.ts).
"""

import copy
import json
import math
from pathlib import Path

import numpy as np
import torch
import torchvision
from hashed import hashed, hashed_state, nhwc, sampled, shapes_of
from torch import nn
from torch.nn import functional as F
from torchvision import ops
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler, BoxCoder, Matcher
from torchvision.models.resnet import BasicBlock

FIXTURES = Path(__file__).parent.parent / "detection/fixtures"
SOURCE = f"torch {torch.__version__}, torchvision {torchvision.__version__}, test/golden/detector.py"
torch.set_default_dtype(torch.float64)
RPN_WEIGHTS, ROI_WEIGHTS = (1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)


def rounded(tensor):
    """As float32 holds it, computed with as float64."""
    return tensor.float().double()


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().double().reshape(-1).tolist()]


def random_boxes(seed, count, height, width, smallest=2.0, largest=1.0):
    """Boxes of all sizes; some reach over the border. `largest` as a share of the picture."""
    centre_x, centre_y = hashed(seed, (count,), 0, width), hashed(seed + 1, (count,), 0, height)
    w = smallest * (largest * width / smallest) ** hashed(seed + 2, (count,), 0, 1)
    h = smallest * (largest * height / smallest) ** hashed(seed + 3, (count,), 0, 1)
    return rounded(torch.stack([centre_x - w / 2, centre_y - h / 2, centre_x + w / 2, centre_y + h / 2], 1))


def cell_anchors(sizes, ratios):
    anchors = []
    for size in sizes:
        for ratio in ratios:
            w = math.sqrt(size**2 / ratio)
            h = ratio * w
            anchors.append([-w / 2, -h / 2, w / 2, h / 2])
    return torch.tensor(anchors).float().double()


def anchors_of(height, width, stride, sizes, ratios=(0.5, 1.0, 2.0)):
    y, x = np.meshgrid(np.arange(height) * stride, np.arange(width) * stride, indexing="ij")
    shifts = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    return rounded(torch.from_numpy(shifts + cell_anchors(sizes, ratios).numpy()[None])).reshape(-1, 4)


def iou(first, second):
    return ops.box_iou(first, second).float()


def match(quality, low, high, low_quality):
    """detectron2's labels (1 object, 0 background, -1 ignored) from torchvision's matcher, and the best ground truth."""
    found = Matcher(high, low, allow_low_quality_matches=low_quality)(quality)
    labels = torch.where(found >= 0, 1, torch.where(found == Matcher.BELOW_LOW_THRESHOLD, 0, -1))
    return labels, quality.max(0).indices


def propose(levels, picture, before_nms, after_nms):
    """detectron2's find_top_rpn_proposals for one picture; levels are (anchors, logits, deltas)."""
    boxes, scores, level_of = [], [], []
    for level, (anchors, logits, deltas) in enumerate(levels):
        top = logits.topk(min(before_nms, logits.numel())).indices
        decoded = BoxCoder(RPN_WEIGHTS).decode_single(deltas[top], anchors[top])
        clipped = ops.clip_boxes_to_image(decoded, picture)
        keep = (clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])
        boxes.append(clipped[keep])
        scores.append(logits[top][keep])
        level_of.append(torch.full((int(keep.sum()),), level))
    boxes, scores, level_of = torch.cat(boxes), torch.cat(scores), torch.cat(level_of)
    keep = ops.batched_nms(boxes, scores, level_of, 0.7)[:after_nms]
    return boxes[keep], scores[keep]


def detect(regions, probabilities, deltas, picture):
    """detectron2's fast_rcnn_inference_single_image."""
    classes = probabilities.shape[1] - 1
    decoded = BoxCoder(ROI_WEIGHTS).decode_single(deltas, regions).reshape(-1, 4)
    boxes = ops.clip_boxes_to_image(decoded, picture).reshape(-1, classes, 4)
    likely = probabilities[:, :-1] > 0.05
    boxes, scores, labels = boxes[likely], probabilities[:, :-1][likely], likely.nonzero()[:, 1]
    keep = ops.batched_nms(boxes, scores, labels, 0.5)[:100]
    return boxes[keep], scores[keep], labels[keep]


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
    write("boxes.json", {"overlap": overlap, "coding": coding, "suppression": suppression})


def anchors_part():
    c4 = {"height": 2, "width": 3, "stride": 16, "sizes": [32, 64, 128, 256, 512]}
    small = {"height": 3, "width": 2, "stride": 4, "sizes": [12, 24]}
    levels = [{**level, "anchors": numbers(anchors_of(*level.values()))} for level in (c4, small)]
    write("anchors.json", {"levels": levels})


def matching_part():
    cases = []
    anchors = anchors_of(6, 5, 16, [16, 32, 64])
    integers = random_boxes(50, 5, 96, 80, smallest=12).round()  # their centres give equal overlaps
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
    write("matching.json", {"cases": cases, "samples": samples})


def selection_part():
    picture = (70, 90)
    levels = []
    for seed, (height, width, stride, sizes) in enumerate([(6, 7, 16, [16, 32]), (3, 4, 32, [64])]):
        anchors = anchors_of(height, width, stride, sizes)
        logits = hashed(100 + seed, (len(anchors),), -3, 3)
        deltas = hashed(110 + seed, (len(anchors), 4), -0.6, 0.6)
        levels.append((anchors, logits, deltas))
    proposals = []
    for before_nms, after_nms in ((100, 1000), (60, 25), (1000, 1000)):
        boxes, scores = propose(levels, picture, before_nms, after_nms)
        proposals.append(
            {"beforeNms": before_nms, "afterNms": after_nms, "boxes": numbers(boxes), "scores": numbers(scores)}
        )
    regions = random_boxes(120, 60, 70, 90, smallest=8)
    regions = rounded(ops.clip_boxes_to_image(regions, picture))
    probabilities = rounded(F.softmax(3 * hashed(124, (60, 5), -1, 1), 1))
    deltas = hashed(125, (60, 16), -1, 1)
    boxes, scores, labels = detect(regions, probabilities, deltas, picture)
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
    content = {"height": picture[0], "width": picture[1], "levels": levels}
    write("selection.json", {**content, "proposals": proposals, "detections": detections})


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
        "none in one picture": [torch.zeros(0, 4), inside],
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
    write("roi-align.json", {"height": height, "width": width, "channels": channels, "cases": content})


class Detector(nn.Module):
    """Faster R-CNN with the C4 backbone of a narrow ResNet-18, an extra BN after res5, names as in the kit."""

    sizes, stride, ratios = (16, 32), 16, (0.5, 1.0, 2.0)

    def __init__(self, width, classes, resolution):
        super().__init__()
        net = torchvision.models.resnet18()
        net.inplanes = width
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for stage in range(4):
            layer = net._make_layer(BasicBlock, width * 2**stage, 2, stride=1 if stage == 0 else 2)
            setattr(self, f"layer{stage + 1}", layer)
        self.classes, self.resolution = classes, resolution
        anchors = len(self.sizes) * len(self.ratios)
        self.rpn = nn.ModuleDict(
            {
                "conv": nn.Conv2d(4 * width, 4 * width, 3, padding=1),
                "objectness_logits": nn.Conv2d(4 * width, anchors, 1),
                "anchor_deltas": nn.Conv2d(4 * width, 4 * anchors, 1),
            }
        )
        self.res5_norm = nn.BatchNorm2d(8 * width)
        self.box_predictor = nn.ModuleDict(
            {"cls_score": nn.Linear(8 * width, classes + 1), "bbox_pred": nn.Linear(8 * width, 4 * classes)}
        )

    def first_part(self, images):
        images = images.to(self.conv1.weight.dtype)
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, 2, 1)
        features = self.layer3(self.layer2(self.layer1(x)))
        hidden = F.relu(self.rpn["conv"](features))
        count = len(images)
        logits = self.rpn["objectness_logits"](hidden).permute(0, 2, 3, 1).reshape(count, -1)
        deltas = self.rpn["anchor_deltas"](hidden)
        deltas = deltas.reshape(count, -1, 4, *deltas.shape[-2:]).permute(0, 3, 4, 1, 2).reshape(count, -1, 4)
        return features, logits.double(), deltas.double()

    def second_part(self, features, rois):
        rois = [boxes.to(features.dtype) for boxes in rois]
        x = ops.roi_align(features, rois, self.resolution, 1 / self.stride, sampling_ratio=-1, aligned=True)
        x = self.res5_norm(self.layer4(x)).mean((2, 3))
        return self.box_predictor["cls_score"](x).double(), self.box_predictor["bbox_pred"](x).double()

    def propose(self, logits, deltas, pictures, limits):
        anchors = anchors_of(4, 4, self.stride, self.sizes, self.ratios)
        return [
            propose([(anchors, logits[i].detach(), deltas[i].detach())], picture, *limits)[0]
            for i, picture in enumerate(pictures)
        ]

    def losses(self, images, pictures, truths, limits, anchors_per_image):
        """detectron2's losses where so many are sampled that all anchors and regions take part."""
        anchors = anchors_of(4, 4, self.stride, self.sizes, self.ratios)
        features, logits, deltas = self.first_part(images)
        objectness = localisation = 0
        for i, (boxes, _) in enumerate(truths):
            labels, best = match(iou(boxes, anchors), 0.3, 0.7, True)
            valid, positive = labels >= 0, labels == 1
            objectness += F.binary_cross_entropy_with_logits(
                logits[i][valid], labels[valid].double(), reduction="sum"
            )
            target = BoxCoder(RPN_WEIGHTS).encode_single(boxes[best[positive]], anchors[positive])
            localisation += F.l1_loss(deltas[i][positive], target, reduction="sum")
        normaliser = anchors_per_image * len(truths)
        regions, classes, targets, counts = [], [], [], []
        for proposals, (boxes, labels) in zip(self.propose(logits, deltas, pictures, limits), truths):
            rois = torch.cat([proposals, boxes])
            positive, best = match(iou(boxes, rois), 0.5, 0.5, False)
            positive = positive == 1
            regions.append(rois)
            classes.append(torch.where(positive, labels[best], self.classes))
            targets.append(BoxCoder(ROI_WEIGHTS).encode_single(boxes[best], rois))
            counts.append([len(rois), int(positive.sum())])
        scores, box_deltas = self.second_part(features, regions)
        classes, targets = torch.cat(classes), torch.cat(targets)
        objects = (classes < self.classes).nonzero()[:, 0]
        predicted = box_deltas.reshape(-1, self.classes, 4)[objects, classes[objects]]
        return counts, {
            "objectness": objectness / normaliser,
            "rpnBox": localisation / normaliser,
            "classification": F.cross_entropy(scores, classes),
            "box": F.l1_loss(predicted, targets[objects], reduction="sum") / len(classes),
        }


def training_step():
    width, classes, resolution, limits, anchors_per_image, seed = 4, 3, 4, (80, 12), 1000, 515
    size, pictures = 64, [(64, 56), (48, 64)]
    images = nhwc(seed, 2, size, 3).clone()
    for image, (h, w) in zip(images, pictures):
        image[:, h:] = 0
        image[:, :, w:] = 0
    truths = [
        (torch.tensor([[4.5, 8.0, 40.0, 51.0], [30.0, 22.0, 52.0, 60.0]]), torch.tensor([0, 2])),
        (
            torch.tensor([[20.0, 8.0, 60.0, 44.0], [4.0, 20.0, 22.0, 46.0], [40.0, 3.0, 61.0, 17.5]]),
            torch.tensor([1, 2, 0]),
        ),
    ]
    net = Detector(width, classes, resolution)
    net.load_state_dict(hashed_state(shapes_of(net)), strict=False)

    # A seed with which no ReLU's input is so near 0, and no decision so close, that float32 falls on the other side: else
    # even PyTorch's own float32 gradients are 0.1 % to 1 % off.
    single = copy.deepcopy(net).float().train()
    sum(single.losses(images, pictures, truths, limits, anchors_per_image)[1].values()).backward()

    net.train()
    counts, losses = net.losses(images, pictures, truths, limits, anchors_per_image)
    sum(losses.values()).backward()
    for p, q in zip(net.parameters(), single.parameters()):
        assert (p.grad - q.grad).abs().max() < 3e-5 * p.grad.abs().max()

    running = {
        name: numbers(sampled(b)) for name, b in net.named_buffers() if not name.endswith("batches_tracked")
    }

    # Precise BN over this one batch, then inference.
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net.losses(images, pictures, truths, limits, anchors_per_image)
    net.eval()
    with torch.no_grad():
        features, logits, deltas = net.first_part(images)
        regions = net.propose(logits, deltas, pictures, limits)
        scores, box_deltas = net.second_part(features, regions)
        lengths = [len(boxes) for boxes in regions]
        detections = []
        for boxes, s, d, picture in zip(regions, scores.split(lengths), box_deltas.split(lengths), pictures):
            found, confidence, labels = detect(boxes, F.softmax(s, 1), d, picture)
            detections.append({"boxes": numbers(found), "scores": numbers(confidence), "classes": labels.tolist()})

    write(
        "training-step.json",
        {
            "config": {
                "width": width,
                "classes": classes,
                "resolution": resolution,
                "anchorSizes": net.sizes,
                "beforeNms": limits[0],
                "afterNms": limits[1],
                "anchorsPerImage": anchors_per_image,
                "seed": seed,
                "size": size,
            },
            "pictures": [{"height": h, "width": w} for h, w in pictures],
            "truths": [{"boxes": numbers(boxes), "classes": labels.tolist()} for boxes, labels in truths],
            "shapes": shapes_of(net),
            "regions": counts,
            "losses": {name: loss.item() for name, loss in losses.items()},
            "gradients": {name: numbers(sampled(p.grad)) for name, p in net.named_parameters()},
            "running": running,
            "detections": detections,
        },
    )


def write(name, content):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / name).write_text(json.dumps({"source": SOURCE, **content}) + "\n")


boxes_part()
anchors_part()
matching_part()
selection_part()
roi_align_part()
training_step()
