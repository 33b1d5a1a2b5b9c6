"""Writes small files as other projects save their checkpoints, for the tests of finding the state dict in them.

    golden/bin/python test/golden/foreign_checkpoints.py [folder instead of test]
"""

import argparse
import collections
import functools
import pathlib
import sys
from pathlib import Path

import torch

FIXTURES = (Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent) / "weights/fixtures"
WEIGHTS = collections.OrderedDict(weight=torch.tensor([[1.5, -2.0], [0.25, 8.0]]), count=torch.tensor(7))


class AttributeDict(dict):
    """As Lightning keeps hyper-parameters: a dictionary with attributes, which refers to code."""

    def __init__(self, entries, note):
        super().__init__(entries)
        self.note = note


class ModelCheckpoint:
    def __reduce__(self):
        return functools.partial, (print, "this must never run")


class Settings:
    """An object that holds itself, with a set and bytes: what Python's pickles have beside data."""

    def __init__(self):
        self.itself = self
        self.names = {"a"}
        self.frozen = frozenset({1})
        self.loop = ([],)
        self.loop[0].append(self.loop)
        self.long = 2**3000


class Transposed(torch.Tensor):
    pass


def lightning():
    return {
        "epoch": 199,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": collections.OrderedDict((f"model.{name}", tensor) for name, tensor in WEIGHTS.items()),
        "callbacks": {ModelCheckpoint: {"best": pathlib.PurePosixPath("a.ckpt")}, "one": ModelCheckpoint()},
        "hyper_parameters": AttributeDict({"arch": "resnet50", "args": argparse.Namespace(lr=0.03)}, Settings()),
        "optimizer_states": [{"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": []}],
    }


def allowed():
    """Every global that PyTorch's own safe loader (torch/_weights_only_unpickler.py) allows and torch.save writes."""
    parameter = torch.nn.Parameter(torch.tensor([3.0]))
    parameter.note = "kept beside"
    subclass = torch.tensor([4.0, 5.0]).as_subclass(Transposed)
    return {
        "size": torch.Size([2, 3]),
        "milestones": collections.Counter({120: 1, 160: 2}),
        "device": torch.device("cpu"),
        "type": torch.float16,
        "layout": torch.strided,
        "complex": 1 + 2j,
        "bytes": bytearray(b"abc"),
        "set": {1, 2},
        "sparse": torch.eye(2).to_sparse(),
        "quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        "meta": torch.empty(2, device="meta"),
        "small": torch.tensor([1, 2], dtype=torch.uint16),
        "state_dict": collections.OrderedDict(
            [("parameter", parameter), ("typed", torch.nn.Parameter(subclass)), *WEIGHTS.items()]
        ),
    }


FILES = {
    "bare": WEIGHTS,
    "lightning": lightning(),
    "model-state-dict": {"model_state_dict": WEIGHTS, "loss": 0.5, "optimizer_state_dict": {"state": {}}},
    "net": {"net": WEIGHTS, "acc": 91.2, "epoch": 5},
    "classy": {
        "phase_idx": 1,
        "classy_state_dict": {"train": True, "base_model": {"model": {"trunk": WEIGHTS, "heads": {}}, "meta": {}}},
    },
    "teacher": {"student": {"weight": torch.zeros(2, 2)}, "teacher": WEIGHTS, "epoch": 5},
    "allowed": allowed(),
    "unknown-wrapper": {"epoch": 5, "generator_ema": WEIGHTS},
    "whole-module": torch.nn.ReLU(),
}

for name, content in FILES.items():
    torch.save(content, FIXTURES / f"foreign-{name}.pth")
