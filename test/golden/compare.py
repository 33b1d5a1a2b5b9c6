"""Compares fixtures made again with those of the repository: compare.py AGAIN COMMITTED, folders that hold */fixtures.

JSON must have the same structure and strings, and numbers equal to 1e-5 of themselves or of the largest in their list;
arrays in base64 and tensors, the same in relative norm. Distances of float32 from float64 are roundings, which another
processor makes otherwise: they may differ by a factor of three. Other files must be the same byte by byte.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

TOLERANCE = 1e-5
# Strings that name versions may differ in what a build adds to them, such as "+cpu".
FREE = {"source"}
ROUNDINGS = {"float32Distances"}


def main():
    again, committed = Path(sys.argv[1]), Path(sys.argv[2])
    made, kept = ({path.relative_to(root) for path in root.glob("*/fixtures/**/*") if path.is_file()} for root in (again, committed))
    found = [f"{path}: not made by any script" for path in sorted(kept - made)]
    found += [f"{path}: not in the repository" for path in sorted(made - kept)]
    for path in sorted(made & kept):
        found += [f"{path}{difference}" for difference in differences(again / path, committed / path)]
    print("\n".join(found) if found else f"golden: {len(made)} fixtures are as they were")
    return 1 if found else 0


def differences(a, b):
    if a.suffix == ".json":
        return compare(json.loads(a.read_text()), json.loads(b.read_text()), "")
    if a.suffix == ".safetensors":
        a, b = load_file(a), load_file(b)
        if a.keys() != b.keys():
            return [f": other tensors, {sorted(a.keys() ^ b.keys())[:5]}"]
        return [line for name in a for line in compare_arrays(a[name], b[name], f": {name}")]
    if a.read_bytes() == b.read_bytes():
        return []
    try:
        # PyTorch names storages by their address. Our own files: whatever code is in them is ours.
        loaded = [torch.load(one, weights_only=False) for one in (a, b)]
    except Exception:
        return [": other bytes"]
    return compare(*map(plain, loaded), "")


def plain(value):
    """What a PyTorch file holds, as JSON would hold it."""
    if isinstance(value, torch.Tensor):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "values": value.double().flatten().tolist()}
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value if isinstance(value, (int, float, str, bool, type(None))) else repr(value)


def compare(a, b, at, tolerance=TOLERANCE):
    if isinstance(a, dict) and isinstance(b, dict):
        if set(a) == set(b) == {"dtype", "base64"}:
            decoded = (np.frombuffer(base64.b64decode(one["base64"]), one["dtype"]) for one in (a, b))
            return compare_arrays(*decoded, at)
        if a.keys() != b.keys():
            return [f"{at}: other names, {sorted(a.keys() ^ b.keys())[:5]}"]
        parts = [(a[name], b[name], f"{at}.{name}", 2 if name in ROUNDINGS else tolerance) for name in a if name not in FREE]
        return [line for part in parts for line in compare(*part)]
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return [f"{at}: {len(a)} instead of {len(b)}"]
        if len(a) > 1 and all(isinstance(value, float) for value in (*a, *b)):
            return compare_arrays(np.array(a), np.array(b), at)
        return [line for index, pair in enumerate(zip(a, b)) for line in compare(*pair, f"{at}[{index}]", tolerance)]
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        # A factor of 3 either way is 2 of the smaller.
        return [] if a == b or abs(a - b) <= tolerance * min(abs(a), abs(b)) else [f"{at}: {a} instead of {b}"]
    return [] if a == b and type(a) is type(b) else [f"{at}: {str(a)[:60]} instead of {str(b)[:60]}"]


def compare_arrays(a, b, at):
    if a.shape != b.shape or a.dtype != b.dtype:
        return [f"{at}: {a.dtype}{list(a.shape)} instead of {b.dtype}{list(b.shape)}"]
    if np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
        return []
    if a.dtype.kind != "f":
        return [f"{at}: other values"]
    distance = np.linalg.norm(a.astype(float) - b) / np.linalg.norm(b)
    return [] if distance <= TOLERANCE else [f"{at}: distance {distance:.2g}"]


sys.exit(main())
