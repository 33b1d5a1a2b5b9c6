"""A narrow Mask R-CNN with a feature pyramid (FPN) in PyTorch, and the levels of its regions.

See detector_rules.py and detector_networks.py.
"""

import torch
from detector_networks import Detector
from torch import nn
from torch.nn import functional as F
from torchvision import ops


def levels_of(boxes, canonical):
    """Equation 1 of the FPN paper as detectron2 has it, on P2 to P5: level 4 from `canonical` pixels on."""
    sides = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
    return torch.floor(4 + torch.log2(sides / canonical + 1e-8)).clamp(2, 5).long()


def align_levels(maps, rois, canonical, resolution):
    """RoIAlign of each region on the map of its level, P2 to P5; image after image."""
    images = torch.cat([torch.full((len(boxes), 1), float(i), dtype=boxes.dtype) for i, boxes in enumerate(rois)])
    rois = torch.cat([images, torch.cat(rois)], 1)
    levels = levels_of(rois[:, 1:], canonical)
    parts, places = [], []
    for level, features in enumerate(maps, 2):
        here = (levels == level).nonzero()[:, 0]
        parts.append(ops.roi_align(features, rois[here], resolution, 0.5**level, sampling_ratio=-1, aligned=True))
        places.append(here)
    return torch.cat(parts)[torch.argsort(torch.cat(places))]


class FPN(Detector):
    """P2 to P6 with BN, two hidden layers as box head, four convolutions before the deconvolution of the mask head."""

    levels = tuple((4 * 2**i, (4 * 2**i,)) for i in range(5))
    # 224 goes with anchors of 128 on P4.
    canonical = levels[2][1][0] * 224 / 128

    def __init__(self, width, classes, resolution):
        channels, length = 4 * width, 16 * width
        super().__init__(width, classes, resolution, channels, length)
        for stage in range(4):
            self.add_pyramid_layer(f"fpn_lateral{stage + 2}", nn.Conv2d(width * 2**stage, channels, 1, bias=False))
            self.add_pyramid_layer(f"fpn_output{stage + 2}", nn.Conv2d(channels, channels, 3, padding=1, bias=False))
        self.box_head = nn.ModuleDict(
            {"fc1": nn.Linear(channels * resolution**2, length), "fc2": nn.Linear(length, length)}
        )
        self.mask_head = nn.ModuleDict(
            {
                **{f"mask_fcn{i}": nn.Conv2d(channels, channels, 3, padding=1) for i in (1, 2, 3, 4)},
                "deconv": nn.ConvTranspose2d(channels, channels, 2, stride=2),
                "predictor": nn.Conv2d(channels, classes, 1),
            }
        )

    def add_pyramid_layer(self, name, convolution):
        convolution.norm = nn.BatchNorm2d(convolution.out_channels)
        self.add_module(name, convolution)

    def pyramid_layer(self, name, x):
        convolution = self.get_submodule(name)
        return convolution.norm(convolution(x))

    def features(self, images):
        height, width = images.shape[2:]
        x = self.stem(F.pad(images, (0, -width % 32, 0, -height % 32)))
        stages = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            stages.append(x)
        merged, pyramid = None, []
        for level in (5, 4, 3, 2):
            lateral = self.pyramid_layer(f"fpn_lateral{level}", stages[level - 2])
            merged = lateral if merged is None else lateral + F.interpolate(merged, scale_factor=2, mode="nearest")
            pyramid.insert(0, self.pyramid_layer(f"fpn_output{level}", merged))
        return [*pyramid, F.max_pool2d(pyramid[-1], 1, stride=2)]

    def regions(self, features, rois):
        x = align_levels(features[:4], rois, self.canonical, self.resolution).flatten(1)
        for layer in self.box_head.values():
            x = F.relu(layer(x))
        return x, None

    def masks(self, features, rois, maps):
        """Logits of all classes, of the regions aligned anew at twice the box head's resolution."""
        rois = [boxes.to(features[0].dtype) for boxes in rois]
        x = align_levels(features[:4], rois, self.canonical, 2 * self.resolution)
        for i in (1, 2, 3, 4):
            x = F.relu(self.mask_head[f"mask_fcn{i}"](x))
        return self.mask_head["predictor"](F.relu(self.mask_head["deconv"](x))).double()
