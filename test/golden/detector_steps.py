"""Writes one training step of narrow detectors in PyTorch, and what they detect after it.

    golden/bin/python test/golden/detector_steps.py

See detector_rules.py. The weights are not stored: both languages compute them from a hash (test/weights/hashed.ts).
"""

import copy

import torch
import torchvision
from detector_fpn import FPN
from detector_networks import C4, C4WithMasks, DilatedC5, dilate
from detector_rules import detect, ellipse, numbers, rle, write
from hashed import hashed, hashed_state, nhwc, sampled, shapes_of
from torch import nn
from torch.nn import functional as F
from torchvision import ops
from torchvision.models.resnet import Bottleneck


def training_step(
    file, architecture, resolution, seed, limits=(80, 12), anchors_per_image=1000, images=((64, 56), (48, 64))
):
    width, classes = 4, 3
    # Squares of hashed numbers, of which a batch is as high and as wide as its images ask for.
    size = max(max(image) for image in images)
    images = nhwc(seed, 2, size, 3)[:, :, : max(h for h, _ in images), : max(w for _, w in images)].clone()
    for image, (h, w) in zip(images, images):
        image[:, h:] = 0
        image[:, :, w:] = 0
    truths = [
        (torch.tensor([[4.5, 8.0, 40.0, 51.0], [30.0, 22.0, 52.0, 60.0]]), torch.tensor([0, 2])),
        (
            torch.tensor([[20.0, 8.0, 60.0, 44.0], [4.0, 20.0, 22.0, 46.0], [40.0, 3.0, 61.0, 17.5]]),
            torch.tensor([1, 2, 0]),
        ),
    ]
    truths = [
        (boxes, labels, torch.stack([ellipse(box, *image) for box in boxes]))
        for image, (whole, labels) in zip(images, truths)
        for boxes in [ops.clip_boxes_to_image(whole, image)]
    ]
    net = architecture(width, classes, resolution)
    net.load_state_dict(hashed_state(shapes_of(net)), strict=False)

    # A seed with which no ReLU's input is so near 0, and no decision so close, that float32 falls on the other side: else
    # even PyTorch's own float32 gradients are 0.1 % to 1 % off.
    single = copy.deepcopy(net).float().train()
    sum(single.losses(images, images, truths, limits, anchors_per_image)[1].values()).backward()

    net.train()
    counts, losses = net.losses(images, images, truths, limits, anchors_per_image)
    sum(losses.values()).backward()
    for p, q in zip(net.parameters(), single.parameters()):
        assert (p.grad - q.grad).abs().max() < 3e-5 * p.grad.abs().max()

    running = {
        name: numbers(sampled(b)) for name, b in net.named_buffers() if not name.endswith("batches_tracked")
    }

    # Precise BN over this one batch, then inference.
    for one in (net, single):
        for module in one.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
    with torch.no_grad():
        for one in (net, single):
            one.losses(images, images, truths, limits, anchors_per_image)
            one.eval()
        found, masks = detections_of(net, images, images, limits)
        found_single, _ = detections_of(single, images, images, limits)
    for (_, _, labels), (_, _, labels_single) in zip(found, found_single):
        assert labels.tolist() == labels_single.tolist()
    detections = [
        {"boxes": numbers(boxes), "scores": numbers(confidence), "classes": labels.tolist()}
        for boxes, confidence, labels in found
    ]
    if masks is not None:
        for one, of_image in zip(detections, masks):
            one["masks"] = numbers(of_image)

    write(
        file,
        "detector_steps.py",
        {
            "config": {
                "width": width,
                "classes": classes,
                "resolution": resolution,
                "anchorSizes": [size for _, sizes in net.levels for size in sizes],
                "beforeNms": limits[0],
                "afterNms": limits[1],
                "anchorsPerImage": anchors_per_image,
                "seed": seed,
                "size": size,
            },
            "images": [{"height": h, "width": w} for h, w in images],
            "truths": [
                {
                    "boxes": numbers(boxes),
                    "classes": labels.tolist(),
                    **({} if net.mask_head is None else {"masks": [rle(mask) for mask in masks]}),
                }
                for boxes, labels, masks in truths
            ],
            "shapes": shapes_of(net),
            "regions": counts,
            "losses": {name: loss.item() for name, loss in losses.items()},
            "gradients": {name: numbers(sampled(p.grad)) for name, p in net.named_parameters()},
            "running": running,
            "detections": detections,
        },
    )


def detections_of(net, images, images, limits):
    features, levels = net.first_part(images)
    regions = net.propose(levels, images, limits)
    scores, deltas, _ = net.second_part(features, regions)
    lengths = [len(boxes) for boxes in regions]
    found = [
        detect(boxes, F.softmax(s, 1), d, image)
        for boxes, s, d, image in zip(regions, scores.split(lengths), deltas.split(lengths), images)
    ]
    if net.mask_head is None:
        return found, None
    boxes, labels = [boxes for boxes, _, _ in found], torch.cat([labels for _, _, labels in found])
    logits = net.masks(features, boxes, net.second_part(features, boxes)[2])[torch.arange(len(labels)), labels]
    return found, torch.sigmoid(logits).split([len(boxes) for boxes in boxes])


def dilated_stage():
    """res5 of a narrow ResNet-50 with dilation 2 and stride 1, trained on one map."""
    width, seed, (height, columns) = 2, 700, (7, 9)
    net = torchvision.models.resnet50()
    net.inplanes = 16 * width
    stage = nn.ModuleDict({"layer4": net._make_layer(Bottleneck, 8 * width, 3, stride=2)})
    dilate(stage)
    shapes = shapes_of(stage)
    stage.load_state_dict(hashed_state(shapes), strict=False)
    x = hashed(seed, (2, height, columns, 16 * width), -1, 1).permute(0, 3, 1, 2).clone().requires_grad_()
    y = stage["layer4"].train()(x).permute(0, 2, 3, 1)
    (y * hashed(seed + 1, y.shape, -1, 1)).sum().backward()
    write(
        "dilated-stage.json",
        "detector_steps.py",
        {
            "width": width,
            "height": height,
            "columns": columns,
            "seed": seed,
            "shapes": shapes,
            "output": numbers(sampled(y)),
            "inputGradient": numbers(sampled(x.grad.permute(0, 2, 3, 1))),
            "gradients": {name: numbers(sampled(p.grad)) for name, p in stage.named_parameters()},
        },
    )


if __name__ == "__main__":
    training_step("training-step.json", C4, 4, 515)
    training_step("mask-step.json", C4WithMasks, 6, 500)
    training_step("dilated-c5-step.json", DilatedC5, 3, 557)
    # A batch that is padded, to 64 x 96; its regions lie on P2 to P5, of the first image none on P3.
    training_step("fpn-step.json", FPN, 4, 504, (80, 7), 4000, ((64, 56), (48, 72)))
    dilated_stage()
