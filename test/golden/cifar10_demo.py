"""The official CIFAR-10 demo in PyTorch, at the kit's width: the other engine of `npx moco pretrain --preset cifar10-demo`.

Starts from the kit's weights and queue and sees the images in the kit's order (cifar10-demo-start.mjs). Views and
permutations of shuffling BN are PyTorch's own draws.

    python cifar10_demo.py START OUTPUT.json SEED
"""

import json
import struct
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from torch import nn
from torchvision import transforms


class SplitBatchNorm(nn.BatchNorm2d):
    """Contiguous parts of the batch, each normalized by itself; running averages move by the mean over the parts."""

    splits = 8

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        n, c, h, w = x.shape
        parts = x.view(self.splits, n // self.splits, c, h, w).transpose(0, 1).reshape(n // self.splits, -1, h, w)
        mean, var = self.running_mean.repeat(self.splits), self.running_var.repeat(self.splits)
        out = F.batch_norm(parts, mean, var, self.weight.repeat(self.splits), self.bias.repeat(self.splits), True, self.momentum, self.eps)
        self.running_mean.copy_(mean.view(self.splits, c).mean(0))
        self.running_var.copy_(var.view(self.splits, c).mean(0))
        return out.view(n // self.splits, self.splits, c, h, w).transpose(0, 1).reshape(n, c, h, w)


class BasicBlock(torchvision.models.resnet.BasicBlock):
    pass


def network(width, dimension):
    net = torchvision.models.resnet18(num_classes=dimension, norm_layer=SplitBatchNorm)
    net.inplanes = width
    net.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
    net.bn1, net.maxpool = SplitBatchNorm(width), nn.Identity()
    for stage, stride in enumerate([1, 2, 2, 2]):
        setattr(net, f"layer{stage + 1}", net._make_layer(BasicBlock, width * 2**stage, 2, stride=stride))
    net.fc = nn.Linear(8 * width, dimension)
    return net


def safetensors(path):
    blob = path.read_bytes()
    (length,) = struct.unpack("<Q", blob[:8])
    header = json.loads(blob[8 : 8 + length])
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(bytearray(blob[8 + length + e["data_offsets"][0] : 8 + length + e["data_offsets"][1]]), dtype=torch.float32).view(e["shape"]).clone()
        for name, e in header.items()
    }


class Views(torch.utils.data.Dataset):
    def __init__(self, pixels, order, mean, std):
        self.pixels, self.order = pixels, order
        self.make = transforms.Compose([
            transforms.RandomResizedCrop(32),
            transforms.RandomHorizontalFlip(p=0.5),
            transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            transforms.RandomGrayscale(p=0.2),
            transforms.ToTensor(),
            transforms.Normalize(mean, std),
        ])

    def __len__(self):
        return len(self.order)

    def __getitem__(self, position):
        image = Image.fromarray(self.pixels[self.order[position]])
        return self.make(image), self.make(image)


def main(start, output, seed):
    facts = json.loads((start / "facts.json").read_text())
    recipe, monitor = facts["recipe"], facts["monitor"]
    method, batch, per_epoch = recipe["method"], recipe["batchSize"], facts["perEpoch"]
    torch.manual_seed(seed)

    def images(name):
        pixels = np.fromfile(start / f"{name}.u8", np.uint8).reshape(-1, 32, 32, 3)
        return pixels, torch.from_numpy(np.fromfile(start / f"{name}-labels.i32", np.int32)).long()

    train, train_labels = images("train")
    validation, validation_labels = images("validation")
    order = np.fromfile(start / "order.i32", np.int32)
    state = safetensors(start / "start.safetensors")
    queue, pointer = state.pop("queue"), 0
    query, key = (network(recipe["encoder"]["width"], recipe["encoder"]["dimension"]) for _ in range(2))
    for net in (query, key):
        missing, unexpected = net.load_state_dict(state, strict=False)
        assert not unexpected and all("running" in name or "num_batches" in name for name in missing), (missing, unexpected)
    optimizer = torch.optim.SGD(query.parameters(), recipe["learningRate"], recipe["optimizer"]["momentum"], weight_decay=recipe["optimizer"]["weightDecay"])
    mean, std = torch.tensor(facts["mean"]).view(1, 3, 1, 1), torch.tensor(facts["std"]).view(1, 3, 1, 1)

    def embed(pixels):
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        return torch.cat([F.normalize(query((part - mean) / std), dim=1) for part in images.split(500)])

    def knn():
        query.eval()
        with torch.no_grad():
            step = max(1, len(train) // monitor["bank"])
            bank, labels = embed(train[::step][: monitor["bank"]]), train_labels[::step][: monitor["bank"]]
            step = max(1, len(validation) // monitor["images"])
            tested, wanted = embed(validation[::step][: monitor["images"]]), validation_labels[::step][: monitor["images"]]
            weights, nearest = (tested @ bank.T).topk(monitor["k"])
            votes = torch.zeros(len(tested), 10).scatter_add_(1, labels[nearest], (weights / monitor["temperature"]).exp())
        query.train()
        return (votes.argmax(1) == wanted).float().mean().item()

    curve = []
    for epoch in range(recipe["epochs"]):
        started = time.time()
        rate = recipe["learningRate"] * 0.5 * (1 + np.cos(np.pi * epoch / recipe["schedule"]["over"]))
        for group in optimizer.param_groups:
            group["lr"] = rate
        views = Views(train, order[epoch * per_epoch * batch : (epoch + 1) * per_epoch * batch], facts["mean"], facts["std"])
        total = 0.0
        for im_q, im_k in torch.utils.data.DataLoader(views, batch, num_workers=1):
            with torch.no_grad():
                for k, q in zip(key.parameters(), query.parameters()):
                    k.mul_(method["momentum"]).add_(q, alpha=1 - method["momentum"])
                permutation = torch.randperm(batch)
                keys = F.normalize(key(im_k[permutation]), dim=1)[permutation.argsort()]
            queries = F.normalize(query(im_q), dim=1)
            logits = torch.cat([(queries * keys).sum(1, keepdim=True), queries @ queue.T], 1) / method["temperature"]
            loss = F.cross_entropy(logits, torch.zeros(batch, dtype=torch.long))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            queue[pointer : pointer + batch] = keys
            pointer = (pointer + batch) % len(queue)
            total += loss.item()
        curve.append({"epoch": epoch + 1, "loss": total / per_epoch, "knn": knn()})
        print(curve[-1], f"{time.time() - started:.0f} s", flush=True)
        output.write_text(json.dumps({"engine": f"torch {torch.__version__}", "seed": seed, "recipe": recipe, "data": facts["checksum"], "curve": curve}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
