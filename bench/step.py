"""The PyTorch side of bench/step.ts: MoCo's training step by the same algorithm, shapes, threads and batch.

Reads lines of JSON on stdin, answers each with a line on stdout:
  {"configure": {...}} -> builds the networks in one of PyTorch's configurations, warms up
  {"steps": n}         -> trains n steps, answers the seconds of each and the peak of memory
Needs torch and torchvision (bench/requirements.txt); no part of the kit imports it.
"""

import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision


class BasicBlock(nn.Module):
    """As torchvision's, of any width."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + shortcut, inplace=True)


class Encoder(nn.Module):
    """ResNet-18 with CIFAR stem, width of the first stage given, and a linear head."""

    def __init__(self, width, dimension):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        blocks, channels = [], width
        for stage in range(4):
            for index in range(2):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(BasicBlock(channels, width * 2**stage, stride))
                channels = width * 2**stage
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(channels, dimension)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.normalize(self.fc(self.blocks(x).mean((2, 3))))


class Normalized(nn.Module):
    """torchvision's own network, with unit vectors at its end."""

    def __init__(self, architecture, dimension):
        super().__init__()
        self.network = getattr(torchvision.models, architecture)(num_classes=dimension)

    def forward(self, x):
        return F.normalize(self.network(x))


def build_encoder(architecture, width, stem):
    if stem == "cifar":
        assert architecture == "resnet18"
        return Encoder(width, 128)
    assert width == 64
    return Normalized(architecture, 128)


class Moco:
    def __init__(self, architecture, stem, width, batch, size, queue_size, groups, layout, compiled):
        torch.manual_seed(0)
        self.query, self.key = (build_encoder(architecture, width, stem) for _ in range(2))
        self.key.load_state_dict(self.query.state_dict())
        for parameter in self.key.parameters():
            parameter.requires_grad = False
        memory = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        for encoder in (self.query, self.key):
            encoder.to(memory_format=memory)
        self.optimizer = torch.optim.SGD(self.query.parameters(), 0.03, momentum=0.9, weight_decay=1e-4, foreach=True)
        self.queue = F.normalize(torch.randn(queue_size, 128))
        self.pointer, self.groups = 0, groups
        images = torch.randn(batch, 3, size, size)
        self.views = [
            (images + 0.3 * torch.randn_like(images)).to(memory_format=memory) for _ in range(2)
        ]
        self.encode_query = torch.compile(self.query) if compiled else self.query
        self.encode_key = torch.compile(self.key) if compiled else self.key

    def encode(self, encoder, x):
        if self.groups == 1:
            return encoder(x)
        return torch.cat([encoder(part) for part in x.chunk(self.groups)])

    def step(self):
        query_view, key_view = self.views
        with torch.no_grad():
            keys, queries = list(self.key.parameters()), list(self.query.parameters())
            torch._foreach_mul_(keys, 0.99)
            torch._foreach_add_(keys, queries, alpha=0.01)
            permutation = torch.randperm(len(key_view))
            key = self.encode(self.encode_key, key_view[permutation])[torch.argsort(permutation)]
        query = self.encode(self.encode_query, query_view)
        positive = (query * key).sum(1, keepdim=True)
        logits = torch.cat([positive, query @ self.queue.t()], 1) / 0.1
        loss = F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.queue[self.pointer : self.pointer + len(key)] = key
        self.pointer = (self.pointer + len(key)) % len(self.queue)
        return loss.item()


def main():
    moco = None
    for line in sys.stdin:
        request = json.loads(line)
        if "configure" in request:
            options = dict(request["configure"])
            torch.set_num_threads(options.pop("threads"))
            warm_up = options.pop("warm_up")
            try:
                moco = Moco(**options)
                for _ in range(warm_up):
                    moco.step()
                answer = {"ready": True}
            except Exception as error:  # a configuration that this machine cannot run is left out, and said so
                answer = {"ready": False, "reason": str(error).splitlines()[0][:200]}
        else:
            seconds = []
            for _ in range(request["steps"]):
                start = time.perf_counter()
                moco.step()
                seconds.append(time.perf_counter() - start)
            answer = {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        print(json.dumps(answer), flush=True)


main()
