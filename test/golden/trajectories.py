"""Writes test/methods/fixtures/trajectory-*: ten steps of each method, and how far float32 strays from them.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/trajectories.py          # writes the fixtures
    golden/bin/python test/golden/trajectories.py --seeds  # searches the seeds that stand below, minutes

A method runs in float64, which is what the fixture holds, and in float32 with either memory format, whose larger distance
from float64 is the yardstick for the kit. Stored are loss and accuracy of every step, and samples of all tensors after
steps 1, 2, 5 and 10; weights, images and the positions of the samples come from a hash (hashed.py, test/weights/hashed.ts).
"""

import json
import sys
from pathlib import Path

import methods
import safetensors.torch
import torch
import torchvision
from hashed import permutation, sampled, shapes_of

FIXTURES = Path(__file__).parent.parent / "methods" / "fixtures"
SOURCE = f"torch {torch.__version__}, torchvision {torchvision.__version__}, test/golden/trajectories.py"
STORED_STEPS = (1, 2, 5, 10)

# The slope of a ReLU jumps at 0. An input that rounding can carry over to the other side gives another gradient, however
# well both programs compute; so the images' seed is the first of 2000, 2100, ... that keeps all inputs this far from 0.
CLEAR_OF_ZERO = 4e-6

COMMON = {
    "width": 8,
    "dimension": 16,
    "size": 12,
    "images": 40,
    "batch": 8,
    "bnGroups": 2,
    "steps": 10,
    # A tenth of the paper's: the narrow network would amplify rounding at its rate.
    "rate": 0.003,
    "sgdMomentum": 0.9,
    "weightDecay": 1e-4,
}
V1 = {"head": "linear", "temperature": 0.07, "schedule": {"kind": "step", "milestones": [6, 8], "factor": 0.1}}
V2 = {"head": "mlp", "temperature": 0.2, "schedule": {"kind": "cosine"}}
# The queue holds four batches of keys: ten steps fill it twice and a half.
MOCO = {"method": "moco", "momentum": 0.9, "queueSize": 32, "symmetric": False}
SIMCLR = {**V2, "method": "simclr", "temperature": 0.1}
TRAJECTORIES = {
    "moco-v1": {**COMMON, **V1, **MOCO, "seed": 3100},
    "moco-v2": {**COMMON, **V2, **MOCO, "seed": 3300},
    "moco-v2-symmetric": {**COMMON, **V2, **MOCO, "queueSize": 64, "symmetric": True, "seed": 28400},
    "end-to-end": {**COMMON, **V1, "method": "end_to_end", "seed": 29100},
    "memory-bank": {**COMMON, **V1, "method": "memory_bank", "negatives": 24, "seed": 2300},
    "simclr": {**COMMON, **SIMCLR, "bnGroups": 1, "seed": 9000},
    "simclr-two-groups": {**COMMON, **SIMCLR, "seed": 41500},
}


class TooNear(Exception):
    pass


def check_clear_of_zero(relu, inputs):
    # Where no gradient flows (the momentum encoder), the output is continuous and nothing jumps.
    if torch.get_default_dtype() == torch.float64 and inputs[0].requires_grad:
        if inputs[0].abs().min() < CLEAR_OF_ZERO:
            raise TooNear


def run(config, dtype, memory_format):
    """Steps as named tensors: [{kind.name: values}], in float64 whatever was computed with."""
    torch.set_default_dtype(dtype)
    watch = torch.nn.modules.module.register_module_forward_pre_hook(
        lambda module, inputs: check_clear_of_zero(module, inputs) if isinstance(module, torch.nn.ReLU) else None
    )
    steps, losses = [], []
    try:
        for step in getattr(methods, config["method"])({**config, "memory_format": memory_format}):
            losses.append(step["loss"].item())
            tensors = {"logits.logits": step["logits"]}
            if len(losses) == config["steps"]:
                # All together: the distance of a single number can be 0 by chance.
                tensors["loss.of_all_steps"] = torch.tensor(losses)
            for memory in ("queue", "bank"):
                if memory in step:
                    tensors[f"{memory}.{memory}"] = step[memory]
            for prefix, net in step["networks"].items():
                state = net.state_dict()
                tensors |= {f"{kind_of(name)}.{prefix}{name}": state[name] for name in shapes_of(net)}
            tensors = {name: tensor.detach().double().clone() for name, tensor in tensors.items()}
            accuracy = None if step["accuracy"] is None else step["accuracy"].item()
            steps.append({"loss": losses[-1], "accuracy": accuracy, "tensors": tensors})
    finally:
        watch.remove()
    return steps


def kind_of(name):
    if "running" in name:
        return "running_averages"
    if name.startswith("fc."):
        return "head"
    return "convolutions" if "conv" in name or "downsample.0" in name else "batch_normalization"


def distances(steps, reference):
    """By kind of tensor, the largest ||a - b|| / ||b|| of a whole tensor."""
    found = {}
    for name, expected in reference["tensors"].items():
        distance = (torch.linalg.norm(steps["tensors"][name] - expected) / torch.linalg.norm(expected)).item()
        kind = name.split(".")[0]
        found[kind] = max(distance, found.get(kind, 0))
    return found


def write(name, config):
    reference = run(config, torch.float64, torch.contiguous_format)
    singles = [run(config, torch.float32, layout) for layout in (torch.contiguous_format, torch.channels_last)]
    for single in singles:
        if [step["accuracy"] for step in single] != [step["accuracy"] for step in reference]:
            raise SystemExit(f"{name}: float32 ranks the keys in another order; take another seed")
    float32 = {}
    for step in STORED_STEPS:
        found = [distances(single[step - 1], reference[step - 1]) for single in singles]
        float32[step] = {kind: float(f"{max(other[kind] for other in found):.3g}") for kind in found[0]}
    FIXTURES.mkdir(parents=True, exist_ok=True)
    fixture = {
        "source": SOURCE,
        "config": config,
        "steps": [
            {"loss": step["loss"], "accuracy": step["accuracy"], **given(config, index)}
            for index, step in enumerate(reference)
        ],
        "float32Distances": float32,
    }
    (FIXTURES / f"trajectory-{name}.json").write_text(json.dumps(fixture) + "\n")
    tensors = {
        f"{step}.{tensor}": sampled(values).float().contiguous()
        for step in STORED_STEPS
        for tensor, values in reference[step - 1]["tensors"].items()
    }
    path = FIXTURES / f"trajectory-{name}.safetensors"
    safetensors.torch.save_file(tensors, path, metadata={"source": SOURCE})


def given(config, step):
    """What a step is given, which a real training would draw."""
    indices = {"indices": methods.batch_indices(config, step).tolist()}
    if config["method"] == "memory_bank":
        return indices | {"negatives": methods.negative_indices(config, step).tolist()}
    if config["method"] == "simclr":
        return indices
    orders = [permutation(methods.permutation_seed(step, view), config["batch"]).tolist() for view in (0, 1)]
    return indices | {"permutations": orders if config.get("symmetric") else orders[:1]}


def first_clear_seed(config):
    for seed in range(2000, 1_000_000, 100):
        try:
            run({**config, "seed": seed}, torch.float64, torch.contiguous_format)
            return seed
        except TooNear:
            continue


def main():
    only = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    for name, config in TRAJECTORIES.items():
        if only and name not in only:
            continue
        if "--seeds" in sys.argv:
            print(name, first_clear_seed(config), flush=True)
            continue
        try:
            write(name, config)
        except TooNear:
            raise SystemExit(f"{name}: a ReLU's input is within {CLEAR_OF_ZERO} of 0; search another seed with --seeds")


if __name__ == "__main__":
    main()
