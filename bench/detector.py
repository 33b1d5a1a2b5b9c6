"""The PyTorch side of bench/detector.ts: torchvision's Mask R-CNN or Faster R-CNN with FPN, on the kit's shapes.

Reads lines of JSON on stdin, answers each with a line on stdout:
  {"configure": {...}} -> builds the network in one of PyTorch's configurations, warms up
  {"steps": n}         -> trains n steps, answers the seconds of each, the peak of memory and the regions of the last step
All layers are trained and batch normalization too, in the backbone and in FPN, as in MoCo's transfer.
Needs torch and torchvision (bench/requirements.txt); no part of the kit imports it.
"""

import json
import resource
import sys
import time

import torch
from torch import nn
from torchvision.models import resnet
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

BLOCKS = {"resnet18": (resnet.BasicBlock, (2, 2, 2, 2)), "resnet50": (resnet.Bottleneck, (3, 4, 6, 3))}


def backbone(architecture, width):
    """torchvision's ResNet of any width, with FPN of four times as many channels."""
    block, depths = BLOCKS[architecture]
    net = resnet.ResNet(block, depths)
    net.inplanes = width
    net.conv1, net.bn1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(width)
    for stage, depth in enumerate(depths):
        layer = net._make_layer(block, width * 2**stage, depth, stride=1 if stage == 0 else 2)
        setattr(net, f"layer{stage + 1}", layer)
    return BackboneWithFPN(
        net,
        {f"layer{stage + 1}": str(stage) for stage in range(4)},
        [width * 2**stage * block.expansion for stage in range(4)],
        4 * width,
        extra_blocks=LastLevelMaxPool(),
        norm_layer=nn.BatchNorm2d,
    )


def detector(architecture, width, size, classes, anchor_sizes, before_nms, after_nms, rois, masks):
    channels, length = 4 * width, 16 * width

    # Samples as detectron2 does: as many as a bin has cells.
    def align(resolution):
        return MultiScaleRoIAlign(
            ["0", "1", "2", "3"], resolution, sampling_ratio=0, canonical_scale=224 / 128 * anchor_sizes[2]
        )

    options = {
        "min_size": size,
        "max_size": size,
        "image_mean": [0.0] * 3,
        "image_std": [1.0] * 3,
        "_skip_resize": True,
        "rpn_anchor_generator": AnchorGenerator(tuple((one,) for one in anchor_sizes), ((0.5, 1.0, 2.0),) * 5),
        "rpn_pre_nms_top_n_train": before_nms,
        "rpn_post_nms_top_n_train": after_nms,
        "box_batch_size_per_image": rois,
        "box_roi_pool": align(7),
        "box_head": TwoMLPHead(channels * 7**2, length),
        "box_predictor": FastRCNNPredictor(length, classes + 1),
    }
    if not masks:
        return FasterRCNN(backbone(architecture, width), **options)
    return MaskRCNN(
        backbone(architecture, width),
        **options,
        mask_roi_pool=align(14),
        mask_head=MaskRCNNHeads(channels, [channels] * 4, 1),
        mask_predictor=MaskRCNNPredictor(channels, channels, classes + 1),
    )


def ellipse(box, size):
    """The pixels whose centers lie in the ellipse that fills a box."""
    x1, y1, x2, y2 = box
    y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    return ((2 * x - x1 - x2) / (x2 - x1)) ** 2 + ((2 * y - y1 - y2) / (y2 - y1)) ** 2 <= 1


class Training:
    def __init__(self, batch, size, truths, masks, layout, compiled, **shape):
        torch.manual_seed(0)
        self.model = detector(size=size, masks=masks, **shape).train()
        if layout == "channels_last":
            self.model.to(memory_format=torch.channels_last)
        if compiled:
            self.model.backbone = torch.compile(self.model.backbone)
        # detectron2's WEIGHT_DECAY_NORM 0.
        norms = {p for m in self.model.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters()}
        groups = [
            {"params": [p for p in self.model.parameters() if p not in norms], "weight_decay": 1e-4},
            {"params": list(norms), "weight_decay": 0.0},
        ]
        # The rate is so low that the network, and with it the number of regions on objects, stays what it was.
        self.optimizer = torch.optim.SGD(groups, 1e-4, momentum=0.9, foreach=True)
        self.images = list(torch.randn(batch, 3, size, size))
        self.targets = [
            {
                "boxes": torch.tensor(truth["boxes"]),
                "labels": torch.tensor(truth["classes"]) + 1,
                **({"masks": torch.stack([ellipse(box, size) for box in truth["boxes"]]).byte()} if masks else {}),
            }
            for truth in truths
        ]
        select = self.model.roi_heads.select_training_samples

        def counting(*arguments):
            selected = select(*arguments)
            labels = torch.cat(selected[2])
            self.regions, self.objects = len(labels), int((labels > 0).sum())
            return selected

        self.model.roi_heads.select_training_samples = counting

    def step(self):
        loss = sum(self.model(self.images, self.targets).values())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main():
    training = None
    for line in sys.stdin:
        request = json.loads(line)
        if "configure" in request:
            options = dict(request["configure"])
            torch.set_num_threads(options.pop("threads"))
            try:
                training = Training(**options)
                for _ in range(3):
                    training.step()
                answer = {"ready": True}
            except Exception as error:  # a configuration that this machine cannot run is left out, and said so
                answer = {"ready": False, "reason": str(error).splitlines()[0][:200]}
        else:
            seconds = []
            for _ in range(request["steps"]):
                start = time.perf_counter()
                training.step()
                seconds.append(time.perf_counter() - start)
            answer = {
                "seconds": seconds,
                "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "regions": training.regions,
                "objects": training.objects,
            }
        print(json.dumps(answer), flush=True)


main()
