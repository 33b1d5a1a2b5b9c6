"""Rules of detectron2 that the references of a detector share.

What torchvision does as detectron2 does is taken from torchvision; where they differ (anchors, selection of proposals and of
detections), detectron2's rule is written out here in PyTorch. All is computed in float64 from float32 numbers.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torchvision
from hashed import hashed
from torch.nn import functional as F
from torchvision import ops
from torchvision.models.detection._utils import BoxCoder, Matcher

FIXTURES = Path(__file__).parent.parent / "detection/fixtures"
torch.set_default_dtype(torch.float64)
RPN_WEIGHTS, ROI_WEIGHTS = (1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)


def rounded(tensor):
    """As float32 holds it, computed with as float64."""
    return tensor.float().double()


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().double().reshape(-1).tolist()]


def random_boxes(seed, count, height, width, smallest=2.0, largest=1.0):
    """Boxes of all sizes; some reach over the border. `largest` as a share of the image."""
    center_x, center_y = hashed(seed, (count,), 0, width), hashed(seed + 1, (count,), 0, height)
    w = smallest * (largest * width / smallest) ** hashed(seed + 2, (count,), 0, 1)
    h = smallest * (largest * height / smallest) ** hashed(seed + 3, (count,), 0, 1)
    return rounded(torch.stack([center_x - w / 2, center_y - h / 2, center_x + w / 2, center_y + h / 2], 1))


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


def propose(levels, image, before_nms, after_nms):
    """detectron2's find_top_rpn_proposals for one image; levels are (anchors, logits, deltas)."""
    boxes, scores, level_of = [], [], []
    for level, (anchors, logits, deltas) in enumerate(levels):
        top = logits.topk(min(before_nms, logits.numel())).indices
        decoded = BoxCoder(RPN_WEIGHTS).decode_single(deltas[top], anchors[top])
        clipped = ops.clip_boxes_to_image(decoded, image)
        keep = (clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])
        boxes.append(clipped[keep])
        scores.append(logits[top][keep])
        level_of.append(torch.full((int(keep.sum()),), level))
    boxes, scores, level_of = torch.cat(boxes), torch.cat(scores), torch.cat(level_of)
    keep = ops.batched_nms(boxes, scores, level_of, 0.7)[:after_nms]
    return boxes[keep], scores[keep]


def detect(regions, probabilities, deltas, image):
    """detectron2's fast_rcnn_inference_single_image."""
    classes = probabilities.shape[1] - 1
    decoded = BoxCoder(ROI_WEIGHTS).decode_single(deltas, regions).reshape(-1, 4)
    boxes = ops.clip_boxes_to_image(decoded, image).reshape(-1, classes, 4)
    likely = probabilities[:, :-1] > 0.05
    boxes, scores, labels = boxes[likely], probabilities[:, :-1][likely], likely.nonzero()[:, 1]
    keep = ops.batched_nms(boxes, scores, labels, 0.5)[:100]
    return boxes[keep], scores[keep], labels[keep]


def rle(mask):
    """Lengths of runs of 0 and 1 in turn, column by column, as COCO counts them."""
    flat = mask.T.reshape(-1).int()
    changes = (flat[1:] != flat[:-1]).nonzero()[:, 0] + 1
    edges = torch.cat([torch.zeros(1, dtype=torch.long), changes, torch.tensor([len(flat)])])
    runs = (edges[1:] - edges[:-1]).tolist()
    return [0, *runs] if flat[0] == 1 else runs


def ellipse(box, height, width):
    """The pixels whose centers lie in the ellipse that fills a box."""
    x1, y1, x2, y2 = box.tolist()
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return ((2 * x - x1 - x2) / (x2 - x1)) ** 2 + ((2 * y - y1 - y2) / (y2 - y1)) ** 2 <= 1


def mask_targets(masks, rois, groups, side):
    """detectron2's BitMasks.crop_and_resize: of each region the bitmap of its object, [objects, height, width]."""
    rois = torch.cat([groups[:, None].to(rois.dtype), rois], 1)
    shares = ops.roi_align(masks[:, None].to(rois.dtype), rois, side, 1.0, sampling_ratio=-1, aligned=True)[:, 0]
    assert len(shares) == 0 or (shares - 0.5).abs().min() > 1e-5  # no place where rounding decides
    return shares >= 0.5


def paste(masks, boxes, height, width):
    """detectron2's paste_masks_in_image, of probabilities [N, side, side]."""
    x1, y1, x2, y2 = boxes.to(masks.dtype).split(1, 1)
    y = (torch.arange(height)[None] + 0.5 - y1) / (y2 - y1) * 2 - 1
    x = (torch.arange(width)[None] + 0.5 - x1) / (x2 - x1) * 2 - 1
    grid = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), 3)
    pasted = F.grid_sample(masks[:, None], grid.to(masks.dtype), align_corners=False)[:, 0]
    assert len(pasted) == 0 or (pasted - 0.5).abs().min() > 1e-6
    return pasted >= 0.5


def write(name, script, content):
    source = f"torch {torch.__version__}, torchvision {torchvision.__version__}, test/golden/{script}"
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / name).write_text(json.dumps({"source": source, **content}) + "\n")
