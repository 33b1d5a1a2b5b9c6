"""Writes small files as PyTorch, numpy and torchvision make them, for the tests of reading checkpoints of other projects.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/checkpoints.py [folder instead of test]
"""

import json
import pickle
import sys
from pathlib import Path

import safetensors.torch
import torch
import torchvision
from torchvision.models.resnet import BasicBlock, Bottleneck

sys.path.insert(0, str(Path(__file__).parent))
from hashed import hashed, hashed_state, nhwc, shapes_of  # noqa: E402

FIXTURES = (Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent) / "weights/fixtures"
SOURCE = f"torch {torch.__version__}, torchvision {torchvision.__version__}, test/golden/checkpoints.py"


def narrow_resnet(block, layers, classes):
    """torchvision's ResNet with one channel in its first stage."""
    net = torchvision.models.ResNet(block, layers, num_classes=classes)
    net.inplanes = 1
    net.conv1 = torch.nn.Conv2d(3, 1, 7, stride=2, padding=3, bias=False)
    net.bn1 = torch.nn.BatchNorm2d(1)
    for stage, blocks in enumerate(layers):
        layer = net._make_layer(block, 2**stage, blocks, stride=1 if stage == 0 else 2)
        setattr(net, f"layer{stage + 1}", layer)
    net.fc = torch.nn.Linear(8 * block.expansion, classes)
    return net


class MoCo(torch.nn.Module):
    """The tensors that the official code's MoCo has."""

    def __init__(self, make, dimension, K, mlp):
        super().__init__()
        self.encoder_q, self.encoder_k = make(), make()
        if mlp:
            for net in (self.encoder_q, self.encoder_k):
                features = net.fc.weight.shape[1]
                net.fc = torch.nn.Sequential(torch.nn.Linear(features, features), torch.nn.ReLU(), net.fc)
        self.encoder_k.requires_grad_(False)
        self.register_buffer("queue", torch.nn.functional.normalize(hashed(1, (dimension, K), -1, 1), dim=0))
        self.register_buffer("queue_ptr", torch.tensor([K // 2]))


class Parallel(torch.nn.Module):
    """Gives names the start that DistributedDataParallel gives them."""

    def __init__(self, module):
        super().__init__()
        self.module = module


def official(make, dimension, K, mlp, arch):
    """What the official code saves, in the middle of training."""
    model = Parallel(MoCo(make, dimension, K, mlp))
    weights = hashed_state({name: s for name, s in shapes_of(model).items() if "queue" not in name})
    model.load_state_dict(weights, strict=False)
    for number, (name, buffer) in enumerate(model.named_buffers()):
        if name.endswith("num_batches_tracked"):
            buffer.fill_(1_000_800 + number)
    optimizer = torch.optim.SGD(model.parameters(), 0.03, momentum=0.9, weight_decay=1e-4)
    for number, parameter in enumerate(p for p in model.parameters() if p.requires_grad):
        parameter.grad = hashed(number, tuple(parameter.shape), -1, 1)
    optimizer.step()
    return {"epoch": 200, "arch": arch, "state_dict": model.state_dict(), "optimizer": optimizer.state_dict()}


def odd_tensors():
    """Tensors that do not simply fill a storage of float32."""
    base = hashed(2, (4, 3, 2), -1, 1)
    halves = torch.tensor([1.5, -0.0, 6e-8, 65504, 3e-5, float("inf"), float("nan"), -1 / 3], dtype=torch.float16)
    return {
        "plain": base,
        "same_storage": base,
        "transposed": base.permute(2, 0, 1),
        "sliced": base[1:, 1:, :1],
        "every_other": base.reshape(-1)[1::2],
        "channels_last": hashed(3, (2, 3, 4, 2), -1, 1).to(memory_format=torch.channels_last),
        "scalar": torch.tensor(-2.5),
        "empty": torch.zeros(0, 3),
        "half": halves,
        "half_transposed": halves.reshape(2, 4).t(),
        "bfloat16": torch.tensor([1.0, -3.140625, 1e-40, float("inf")], dtype=torch.bfloat16),
        "double": torch.tensor([0.5, -2.0**100, float("nan")], dtype=torch.float64),
        "counter": torch.tensor(2**40 + 1),
        "negative": torch.tensor([-1, -(2**62)]),
        "parameter": torch.nn.Parameter(hashed(4, (2, 2), -1, 1)),
    }


def save(name, content):
    torch.save(content, FIXTURES / f"{name}.zip.pth")
    torch.save(content, FIXTURES / f"{name}.legacy.pth", _use_new_zipfile_serialization=False)


def save_expected(name, state):
    floats = {n: t.detach().float() if t.is_floating_point() else t for n, t in state.items()}
    tensors = {n: t.clone(memory_format=torch.contiguous_format) for n, t in floats.items()}
    safetensors.torch.save_file(tensors, FIXTURES / f"{name}.safetensors", metadata={"source": SOURCE})


def detectron2_name(name):
    """The names of the official code's detection/convert-pretrain-to-detectron2.py, by its rules."""
    if "layer" not in name:
        name = "stem." + name
    for stage in (1, 2, 3, 4):
        name = name.replace(f"layer{stage}", f"res{stage + 1}")
    for number in (1, 2, 3):
        name = name.replace(f"bn{number}", f"conv{number}.norm")
    return name.replace("downsample.0", "shortcut").replace("downsample.1", "shortcut.norm")


def official_files():
    v2 = official(lambda: narrow_resnet(BasicBlock, [2, 2, 2, 2], 4), 4, 12, True, "resnet18")
    torch.save(v2, FIXTURES / "moco-v2.zip.pth.tar")
    save_expected("moco-v2", v2["state_dict"])
    v1 = official(lambda: narrow_resnet(Bottleneck, [3, 4, 6, 3], 4), 4, 12, False, "resnet50")
    torch.save(v1, FIXTURES / "moco-v1.legacy.pth.tar", _use_new_zipfile_serialization=False)
    save_expected("moco-v1", v1["state_dict"])
    prefix = "module.encoder_q."
    query = {n.removeprefix(prefix): t.numpy() for n, t in v1["state_dict"].items() if n.startswith(prefix)}
    model = {detectron2_name(name): array for name, array in query.items()}
    with open(FIXTURES / "moco-v1.detectron2.pkl", "wb") as file:
        pickle.dump({"model": model, "__author__": "MOCO", "matching_heuristics": True}, file)


def odd_files():
    state = odd_tensors()
    save("odd-tensors", {"state_dict": state})
    save_expected("odd-tensors", state)
    pair = hashed(5, (2, 3), -1, 1)
    save("tiny", {"epoch": 1, "state_dict": {"weight": pair, "shared": pair.t(), "count": torch.tensor(7)}})


def features():
    """Features of torchvision's networks whose running averages are far from 0 and 1."""
    torch.set_default_dtype(torch.float64)
    content = {"source": SOURCE}
    for name in ("resnet18", "resnet50"):
        net = getattr(torchvision.models, name)()
        shapes = shapes_of(net)
        state = hashed_state(shapes)
        for seed, key in enumerate(sorted(shapes)):
            if key.endswith("running_mean"):
                state[key] = hashed(seed, shapes[key], -2, 2)
            elif key.endswith("running_var"):
                state[key] = hashed(seed, shapes[key], 0.05, 4)
        net.load_state_dict(state, strict=False)
        net.fc = torch.nn.Identity()
        with torch.no_grad():
            values = net.eval()(nhwc(7, 2, 64, 3)).reshape(-1).tolist()
        content[name] = [float(f"{x:.9g}") for x in values]
    (FIXTURES / "far-running-averages.json").write_text(json.dumps(content) + "\n")


FIXTURES.mkdir(parents=True, exist_ok=True)
official_files()
odd_files()
features()
