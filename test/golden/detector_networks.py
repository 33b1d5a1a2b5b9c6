"""Narrow detectors in PyTorch: Faster R-CNN with the C4 and the dilated-C5 backbone, and Mask R-CNN with C4.

See detector_rules.py; FPN is in detector_fpn.py. Names are those of the kit.
"""

import torch
import torchvision
from detector_rules import ROI_WEIGHTS, RPN_WEIGHTS, anchors_of, iou, mask_targets, match, propose
from torch import nn
from torch.nn import functional as F
from torchvision import ops
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.resnet import BasicBlock


class Detector(nn.Module):
    """Faster R-CNN on a narrow ResNet-18, names as in the kit. Subclasses give the feature maps and the box head."""

    # Stride and anchor sizes of each feature map.
    levels, ratios = ((16, (16, 32)),), (0.5, 1.0, 2.0)

    def __init__(self, width, classes, resolution, channels, length):
        super().__init__()
        net = torchvision.models.resnet18()
        net.inplanes = width
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for stage in range(4):
            layer = net._make_layer(BasicBlock, width * 2**stage, 2, stride=1 if stage == 0 else 2)
            setattr(self, f"layer{stage + 1}", layer)
        self.classes, self.resolution = classes, resolution
        anchors = len(self.levels[0][1]) * len(self.ratios)
        self.rpn = nn.ModuleDict(
            {
                "conv": nn.Conv2d(channels, channels, 3, padding=1),
                "objectness_logits": nn.Conv2d(channels, anchors, 1),
                "anchor_deltas": nn.Conv2d(channels, 4 * anchors, 1),
            }
        )
        self.mask_head = None
        self.box_predictor = nn.ModuleDict(
            {"cls_score": nn.Linear(length, classes + 1), "bbox_pred": nn.Linear(length, 4 * classes)}
        )

    def stem(self, images):
        return F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, 2, 1)

    def res4(self, images):
        return self.layer3(self.layer2(self.layer1(self.stem(images))))

    def align(self, features, rois):
        return ops.roi_align(features[0], rois, self.resolution, 1 / 16, sampling_ratio=-1, aligned=True)

    def first_part(self, images):
        """Feature maps, and of each its anchors with the RPN's logits and deltas, image by image."""
        features = self.features(images.to(self.conv1.weight.dtype))
        return features, [self.rpn_level(x, *level) for x, level in zip(features, self.levels, strict=True)]

    def rpn_level(self, features, stride, sizes):
        hidden = F.relu(self.rpn["conv"](features))
        count, _, height, width = features.shape
        logits = self.rpn["objectness_logits"](hidden).permute(0, 2, 3, 1).reshape(count, -1)
        deltas = self.rpn["anchor_deltas"](hidden).reshape(count, -1, 4, height, width)
        deltas = deltas.permute(0, 3, 4, 1, 2).reshape(count, -1, 4)
        return anchors_of(height, width, stride, sizes, self.ratios), logits.double(), deltas.double()

    def second_part(self, features, rois):
        x, maps = self.regions(features, [boxes.to(features[0].dtype) for boxes in rois])
        return self.box_predictor["cls_score"](x).double(), self.box_predictor["bbox_pred"](x).double(), maps

    def propose(self, levels, images, limits):
        proposals = []
        for i, image in enumerate(images):
            of_image = [(anchors, logits[i].detach(), deltas[i].detach()) for anchors, logits, deltas in levels]
            proposals.append(propose(of_image, image, *limits)[0])
        return proposals

    def losses(self, images, images, truths, limits, anchors_per_image):
        """detectron2's losses where so many are sampled that all anchors and regions take part."""
        features, levels = self.first_part(images)
        all_anchors, all_logits, all_deltas = zip(*levels)
        anchors, logits, deltas = torch.cat(all_anchors), torch.cat(all_logits, 1), torch.cat(all_deltas, 1)
        objectness = localisation = 0
        for i, (boxes, *_) in enumerate(truths):
            labels, best = match(iou(boxes, anchors), 0.3, 0.7, True)
            valid, positive = labels >= 0, labels == 1
            objectness += F.binary_cross_entropy_with_logits(
                logits[i][valid], labels[valid].double(), reduction="sum"
            )
            target = BoxCoder(RPN_WEIGHTS).encode_single(boxes[best[positive]], anchors[positive])
            localisation += F.l1_loss(deltas[i][positive], target, reduction="sum")
        normalizer = anchors_per_image * len(truths)
        regions, classes, targets, counts, masks = [], [], [], [], []
        for proposals, (boxes, labels, bitmaps) in zip(self.propose(levels, images, limits), truths):
            rois = torch.cat([proposals, boxes])
            positive, best = match(iou(boxes, rois), 0.5, 0.5, False)
            positive = positive == 1
            regions.append(rois)
            classes.append(torch.where(positive, labels[best], self.classes))
            targets.append(BoxCoder(ROI_WEIGHTS).encode_single(boxes[best], rois))
            counts.append([len(rois), int(positive.sum())])
            masks.append((bitmaps, rois[positive], best[positive]))
        scores, box_deltas, maps = self.second_part(features, regions)
        classes, targets = torch.cat(classes), torch.cat(targets)
        objects = (classes < self.classes).nonzero()[:, 0]
        predicted = box_deltas.reshape(-1, self.classes, 4)[objects, classes[objects]]
        losses = {
            "objectness": objectness / normalizer,
            "rpnBox": localisation / normalizer,
            "classification": F.cross_entropy(scores, classes),
            "box": F.l1_loss(predicted, targets[objects], reduction="sum") / len(classes),
        }
        if self.mask_head is not None:
            positives = [rois for _, rois, _ in masks]
            logits = self.masks(features, positives, None if maps is None else maps[objects])
            logits = logits[torch.arange(len(objects)), classes[objects]]
            wanted = torch.cat([mask_targets(*of_image, logits.shape[-1]) for of_image in masks])
            losses["mask"] = F.binary_cross_entropy_with_logits(logits, wanted.double())
        return counts, losses


class C4(Detector):
    """res5 as box head, an extra BN after it."""

    def __init__(self, width, classes, resolution):
        super().__init__(width, classes, resolution, channels=4 * width, length=8 * width)
        self.res5_norm = nn.BatchNorm2d(8 * width)

    def features(self, images):
        return [self.res4(images)]

    def regions(self, features, rois):
        maps = self.res5_norm(self.layer4(self.align(features, rois)))
        return maps.mean((2, 3)), maps


class C4WithMasks(C4):
    """detectron2's mask head on shared res5 features: MaskRCNNConvUpsampleHead without convolutions before it."""

    def __init__(self, width, classes, resolution):
        super().__init__(width, classes, resolution)
        self.mask_head = nn.ModuleDict(
            {
                "deconv": nn.ConvTranspose2d(8 * width, 4 * width, 2, stride=2),
                "predictor": nn.Conv2d(4 * width, classes, 1),
            }
        )

    def masks(self, features, rois, maps):
        """Logits of all classes, of the maps that the box head made of the regions."""
        return self.mask_head["predictor"](F.relu(self.mask_head["deconv"](maps))).double()


class DilatedC5(Detector):
    """res5 in the backbone, a 3x3 convolution with BN after it, two hidden layers as box head."""

    def __init__(self, width, classes, resolution):
        super().__init__(width, classes, resolution, channels=8 * width, length=16 * width)
        dilate(self.layer4)
        self.reduction = nn.Conv2d(8 * width, 8 * width, 3, padding=1, bias=False)
        self.reduction_norm = nn.BatchNorm2d(8 * width)
        self.box_head = nn.ModuleDict(
            {"fc1": nn.Linear(8 * width * resolution**2, 16 * width), "fc2": nn.Linear(16 * width, 16 * width)}
        )

    def features(self, images):
        return [self.reduction_norm(self.reduction(self.layer4(self.res4(images))))]

    def regions(self, features, rois):
        x = self.align(features, rois).flatten(1)
        for layer in self.box_head.values():
            x = F.relu(layer(x))
        return x, None


def dilate(stage):
    """detectron2's RES5_DILATION 2: in the first block too, where torchvision's own option leaves it out."""
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)
            if module.kernel_size == (3, 3):
                module.dilation = module.padding = (2, 2)
