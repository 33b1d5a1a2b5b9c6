"""Writes what PyTorch makes of the parts of a mask head: targets cut out of bitmaps, the head itself, masks in their image.

    golden/bin/python test/golden/detector_masks.py

See detector_rules.py.
"""

import torch
from detector_rules import ellipse, mask_targets, numbers, paste, random_boxes, rle, rounded, write
from hashed import hashed, hashed_state, sampled, shapes_of
from torch import nn
from torch.nn import functional as F

HEIGHT, WIDTH = 50, 70


def targets_part():
    objects = rounded(torch.tensor([[5.3, 4.1, 40.2, 44.7], [30.1, 10.6, 68.4, 30.2], [0.0, 0.0, 12.3, 9.4]]))
    masks = torch.stack([ellipse(box, HEIGHT, WIDTH) for box in objects])
    masks[0, 20:24] = False  # in two parts, as behind something
    cases = []
    for seed, side in ((11, 14), (10, 28), (11, 8), (11, 5)):
        # Around the objects, some over the border of the image, and one anywhere.
        groups = (hashed(seed + 4, (9,), 0, 1) * len(masks)).long()
        lengths = (objects[:, 2:] - objects[:, :2]).repeat(1, 2)[groups]
        regions = rounded(objects[groups] + lengths * hashed(seed + 5, (9, 4), -0.3, 0.3))
        regions[0] = random_boxes(seed, 1, HEIGHT, WIDTH, smallest=3.0, largest=0.9)[0]
        targets = mask_targets(masks, regions, groups, side)
        cases.append(
            {
                "side": side,
                "regions": numbers(regions),
                "groundTruth": groups.tolist(),
                "targets": ["".join(str(int(bit)) for bit in target.reshape(-1)) for target in targets],
            }
        )
    return {"masks": [rle(mask) for mask in masks], "cases": cases}


def head_part():
    channels, width, classes, side, count, seed = 6, 2, 3, 4, 5, 900
    net = nn.ModuleDict(
        {
            "mask_head": nn.ModuleDict(
                {
                    "deconv": nn.ConvTranspose2d(channels, 4 * width, 2, stride=2),
                    "predictor": nn.Conv2d(4 * width, classes, 1),
                }
            )
        }
    )
    shapes = shapes_of(net)
    net.load_state_dict(hashed_state(shapes))
    head = net["mask_head"]
    x = hashed(seed, (count, side, side, channels), -1, 1).permute(0, 3, 1, 2).clone().requires_grad_()
    labels = torch.tensor([2, 0, 1, 1, 2])
    targets = (hashed(seed + 1, (count, 2 * side, 2 * side), 0, 1) > 0.6).double()
    logits = head["predictor"](F.relu(head["deconv"](x)))
    loss = F.binary_cross_entropy_with_logits(logits[torch.arange(count), labels], targets)
    loss.backward()
    return {
        "channels": channels,
        "width": width,
        "classes": classes,
        "side": side,
        "labels": labels.tolist(),
        "seed": seed,
        "shapes": shapes,
        "logits": numbers(logits.permute(0, 2, 3, 1)),
        "loss": loss.item(),
        "inputGradient": numbers(x.grad.permute(0, 2, 3, 1)),
        "gradients": {name: numbers(sampled(p.grad)) for name, p in net.named_parameters()},
    }


def paste_part():
    cases = []
    for name, boxes in {
        "inside": random_boxes(50, 6, HEIGHT, WIDTH, smallest=6.0, largest=0.5),
        "over the border": torch.tensor([[-8.5, -3.25, 20.5, 30.0], [40.2, 30.1, 90.7, 77.0]]),
        "the whole image": torch.tensor([[0.0, 0.0, WIDTH, HEIGHT]]),
        "less than a pixel": torch.tensor([[10.3, 10.2, 10.9, 10.8], [20.1, 20.2, 20.4, 20.3]]),
        "a line": torch.tensor([[3.2, 8.1, 60.9, 8.9]]),
        "outside": torch.tensor([[-30.0, -20.0, -10.0, -5.0]]),
    }.items():
        boxes = rounded(boxes.double())
        for side, seed in ((14, 60), (7, 70)):
            masks = rounded(hashed(seed, (len(boxes), side, side), 0.1, 1))
            pasted = paste(masks, boxes, HEIGHT, WIDTH)
            cases.append(
                {
                    "name": f"{name}, {side} x {side}",
                    "side": side,
                    "seed": seed,
                    "boxes": numbers(boxes),
                    "masks": [rle(mask) for mask in pasted],
                }
            )
    return {"cases": cases}


write(
    "masks.json",
    "detector_masks.py",
    {"height": HEIGHT, "width": WIDTH, "targets": targets_part(), "head": head_part(), "pasting": paste_part()},
)
