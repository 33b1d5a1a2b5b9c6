"""Writes what PyTorch and torchvision make of small networks, for the tests of engine, nn, methods and train.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/nn.py

Inputs and weights are not stored: both languages compute them from a hash (hashed.py, test/weights/hashed.ts). All is computed in float64.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torchvision
from hashed import hashed, hashed_state, nhwc, shapes_of
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck, ResNet

TEST = Path(__file__).parent.parent
SOURCE = f"torch {torch.__version__}, torchvision {torchvision.__version__}, test/golden/nn.py"
torch.set_default_dtype(torch.float64)


def numbers(tensor, nchw=False):
    tensor = tensor.detach().permute(0, 2, 3, 1) if nchw else tensor.detach()
    return [float(f"{x:.9g}") for x in tensor.reshape(-1).tolist()]


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"source": SOURCE, **content}) + "\n")


def engine():
    convolutions = []
    for seed, (size, kernel, stride, padding) in enumerate([(6, 3, 2, 1), (5, 3, 2, 1), (8, 7, 2, 3), (5, 1, 2, 0)]):
        x = nhwc(2 * seed, 1, size, 2)
        w = hashed(2 * seed + 1, (3, 2, kernel, kernel), -1, 1)
        y = F.conv2d(x, w, stride=stride, padding=padding)
        convolutions.append(
            {"size": size, "kernel": kernel, "stride": stride, "padding": padding, "output": numbers(y, True)}
        )
    grouped = []
    for index, (size, stride, padding, groups, dilation, channels) in enumerate(
        [(5, 1, 1, 4, 1, 8), (6, 2, 1, 2, 1, 4), (5, 1, 1, 4, 1, 4), (6, 1, 2, 1, 2, 2), (7, 1, 2, 2, 2, 4)]
    ):
        seed = 40 + 3 * index
        x = nhwc(seed, 2, size, channels).clone().requires_grad_()
        w = hashed(seed + 1, (channels, channels // groups, 3, 3), -1, 1).requires_grad_()
        y = F.conv2d(x, w, stride=stride, padding=padding, groups=groups, dilation=dilation)
        (y * nhwc(seed + 2, 2, y.shape[2], channels)).sum().backward()
        grouped.append(
            {
                "size": size,
                "stride": stride,
                "padding": padding,
                "groups": groups,
                "dilation": dilation,
                "channels": channels,
                "output": numbers(y, True),
                "gradients": {"x": numbers(x.grad, True), "filter": numbers(w.grad)},
            }
        )
    x = nhwc(20, 3, 2, 2).clone().requires_grad_()
    gamma, beta = hashed(21, (2,), 0.5, 1.5).requires_grad_(), hashed(22, (2,), -1, 1).requires_grad_()
    # With momentum 1 the running averages are the batch's statistics, as PyTorch counts them.
    mean, variance = torch.zeros(2), torch.ones(2)
    y = F.batch_norm(x, mean, variance, gamma, beta, training=True, momentum=1.0)
    (y * nhwc(23, 3, 2, 2)).sum().backward()
    batch_norm = {
        "output": numbers(y, True),
        "mean": numbers(mean),
        "variance": numbers(variance),
        "gradients": {"x": numbers(x.grad, True), "scale": numbers(gamma.grad), "offset": numbers(beta.grad)},
    }
    content = {"convolutions": convolutions, "groupedConvolutions": grouped, "batchNorm": batch_norm}
    write(TEST / "engine/fixtures/pytorch.json", content)


def resnext50_32x8d():
    return ResNet(Bottleneck, [3, 4, 6, 3], groups=32, width_per_group=8)


def networks():
    content = {}
    makers = {name: getattr(torchvision.models, name) for name in ("resnet18", "resnet34", "resnet50")}
    for name, make in (makers | {"resnext50-32x8d": resnext50_32x8d}).items():
        net = make()
        shapes = shapes_of(net)
        content[name] = {"shapes": shapes}
        if name not in ("resnet18", "resnet50"):
            continue
        net.load_state_dict(hashed_state(shapes), strict=False)
        net.fc = torch.nn.Identity()
        with torch.no_grad():
            content[name]["features"] = numbers(net.eval()(nhwc(7, 2, 64, 3)))
    write(TEST / "nn/fixtures/torchvision.json", content)


def narrow_resnext():
    """ResNeXt-50 32x8d of width 8: features in both modes, and the gradients of their hashed sum in evaluation mode.

    No gradients in training mode: there rounding to float32 moves some value of the last stage over the bend of a ReLU
    on nearly all images, which changes PyTorch's own gradients by percents.
    """
    width, size, batch = 8, 64, 2

    def build(dtype, mode):
        net = resnext50_32x8d()
        net.inplanes = width
        net.conv1 = torch.nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        net.bn1 = torch.nn.BatchNorm2d(width)
        for stage, blocks in enumerate([3, 4, 6, 3]):
            layer = net._make_layer(Bottleneck, width * 2**stage, blocks, stride=1 if stage == 0 else 2)
            setattr(net, f"layer{stage + 1}", layer)
        net.fc = torch.nn.Identity()
        net.load_state_dict(hashed_state(shapes_of(net)), strict=False)
        return net.to(dtype).train(mode == "training")

    def run(dtype):
        images, weights = nhwc(7, batch, size, 3).to(dtype), hashed(8, (batch, 32 * width), -1, 1).to(dtype)
        with torch.no_grad():
            training = build(dtype, "training")(images)
        net = build(dtype, "evaluation")
        evaluation = net(images)
        (evaluation * weights).sum().backward()
        gradients = {name: parameter.grad.double() for name, parameter in net.named_parameters()}
        return {"training": training.double(), "evaluation": evaluation.detach().double()}, gradients

    (features, gradients), (features32, gradients32) = run(torch.float64), run(torch.float32)

    def distance(single, exact):
        return max(((single[name] - exact[name]).norm() / exact[name].norm()).item() for name in exact)

    # A whole gradient for each way in which a grouped filter is used; of all, the length and a hashed projection.
    whole = ["layer1.0.conv2.weight", "layer2.0.conv2.weight", "layer2.1.conv2.weight"]
    content = {
        "width": width,
        "size": size,
        "batch": batch,
        "shapes": shapes_of(build(torch.float64, "training")),
        "features": {mode: numbers(values) for mode, values in features.items()},
        "gradients": {
            name: {
                "norm": gradient.norm().item(),
                "projection": (gradient * hashed(9, gradient.shape, -1, 1)).sum().item(),
            }
            for name, gradient in gradients.items()
        },
        "wholeGradients": {name: numbers(gradients[name]) for name in whole},
        # What rounding to float32 makes of PyTorch's own.
        "float32Distance": {
            "features": distance(features32, features),
            "gradients": distance(gradients32, gradients),
        },
    }
    write(TEST / "nn/fixtures/resnext.json", content)


def lars():
    """LARS in the form of google-research/simclr (lars_optimizer.py, classic momentum), from its formulas."""
    # "zero" has no length at first and "still" no gradient: both then move by the plain rate.
    names = ["conv1.weight", "bn1.weight", "bn1.bias", "zero.weight", "still.weight", "fc.weight", "fc.bias"]
    shapes = [(3, 3, 2, 3), (3,), (3,), (2, 2), (2, 2), (3, 4), (4,)]
    sizes = [int(np.prod(shape)) for shape in shapes]
    momentum, trust = 0.9, 0.001
    values = hashed(1, (sum(sizes),), -1, 1)
    zero = sum(sizes[: names.index("zero.weight")])
    values[zero : zero + 4] = 0
    velocity = torch.zeros_like(values)
    steps = []
    for step, (rate, decay) in enumerate([(0.1, 0.0), (0.3, 0.05), (0.3, 0.05), (5.0, 0.0), (2.0, 1e-4)]):
        gradient = hashed(10 + step, (sum(sizes),), -1, 1)
        if step == 0:
            gradient[zero + 4 : zero + 8] = 0
        updates = []
        for shape, w, g in zip(shapes, values.split(sizes), gradient.split(sizes)):
            ratio = 1.0
            if len(shape) > 1:
                g = g + decay * w
                if w.norm() > 0 and g.norm() > 0:
                    ratio = trust * w.norm() / g.norm()
            updates.append(rate * ratio * g)
        velocity = momentum * velocity + torch.cat(updates)
        values = values - velocity
        steps.append({"rate": rate, "decay": decay, "parameters": numbers(values), "velocity": numbers(velocity)})
    entries = [{"name": name, "shape": list(shape)} for name, shape in zip(names, shapes)]
    return {"entries": entries, "steps": steps}


def simclr_rates():
    """SimCLR's rate at each step: linear from 0 over the first epochs, then half a cosine. Batch 4096, 100 epochs."""
    base, epochs, warmup, steps_per_epoch = 0.3 * 4096 / 256, 100, 10, 3
    rising, falling = warmup * steps_per_epoch, (epochs - warmup) * steps_per_epoch
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    schedulers = torch.optim.lr_scheduler
    scheduler = schedulers.SequentialLR(
        optimizer,
        [
            schedulers.LambdaLR(optimizer, lambda step: step / rising),
            schedulers.CosineAnnealingLR(optimizer, falling),
        ],
        milestones=[rising],
    )
    rates = []
    for _ in range(rising + falling):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return {"baseRate": base, "epochs": epochs, "warmup": warmup, "stepsPerEpoch": steps_per_epoch, "rates": rates}


def training():
    parameters = hashed(1, (6,), -1, 1).requires_grad_()
    optimizer = torch.optim.SGD([parameters], lr=0.1, momentum=0.9, weight_decay=0.05)
    steps = []
    for step, rate in enumerate([0.1, 0.1, 0.02]):
        optimizer.param_groups[0]["lr"] = rate
        parameters.grad = hashed(10 + step, (6,), -1, 1)
        optimizer.step()
        velocity = optimizer.state[parameters]["momentum_buffer"]
        steps.append({"rate": rate, "parameters": numbers(parameters), "velocity": numbers(velocity)})

    def rates(make):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.03)
        scheduler = make(optimizer)
        result = []
        for _ in range(200):
            result.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
        return result

    schedulers = torch.optim.lr_scheduler
    schedules = {
        "step": rates(lambda optimizer: schedulers.MultiStepLR(optimizer, [120, 160], 0.1)),
        "cosine": rates(lambda optimizer: schedulers.CosineAnnealingLR(optimizer, 200)),
        "simclr": simclr_rates(),
    }
    write(TEST / "train/fixtures/pytorch.json", {"sgd": steps, "lars": lars(), "schedules": schedules})


engine()
networks()
narrow_resnext()
training()
