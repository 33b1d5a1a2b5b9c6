"""The network of the trajectories: torchvision's ResNet-18 with fewer channels, the CIFAR stem and MoCo's heads."""

import torch
import torchvision
from hashed import hashed_state, shapes_of
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock


def narrow_resnet18(width, dimension, head):
    net = torchvision.models.resnet18()
    net.inplanes = width
    net.conv1 = torch.nn.Conv2d(3, width, 3, padding=1, bias=False)
    net.bn1 = torch.nn.BatchNorm2d(width)
    net.maxpool = torch.nn.Identity()
    for stage in range(4):
        layer = net._make_layer(BasicBlock, width * 2**stage, 2, stride=1 if stage == 0 else 2)
        setattr(net, f"layer{stage + 1}", layer)
    features = 8 * width
    last = torch.nn.Linear(features, dimension)
    net.fc = last
    if head == "mlp":
        net.fc = torch.nn.Sequential(torch.nn.Linear(features, features), torch.nn.ReLU(), last)
    net.load_state_dict(hashed_state(shapes_of(net)), strict=False)
    return net


def encode(net, x, groups):
    """
    Unit vectors. The batch is cut into contiguous groups, each normalized by itself, as each GPU of the official code
    normalizes its own; the running averages end at the mean of what the groups make of them.
    """
    norms = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    before = [(norm.running_mean, norm.running_var) for norm in norms]
    outputs, after = [], []
    for part in x.chunk(groups):
        for norm, (mean, variance) in zip(norms, before):
            norm.running_mean, norm.running_var = mean.clone(), variance.clone()
        outputs.append(net(part))
        after.append([(norm.running_mean, norm.running_var) for norm in norms])
    for norm, *ends in zip(norms, *after):
        norm.running_mean = torch.stack([mean for mean, _ in ends]).mean(0)
        norm.running_var = torch.stack([variance for _, variance in ends]).mean(0)
    return F.normalize(torch.cat(outputs), dim=1)
