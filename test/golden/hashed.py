"""Numbers that test/weights/hashed.ts computes as well, so that no weights, images or positions have to be stored."""

import numpy as np
import torch


def hashed(seed, shape, low, high):
    """float32 numbers in [low, high), as tensors of the default type: Wellons' lowbias32 of position + seed * 0x9e3779b9."""
    with np.errstate(over="ignore"):
        h = np.arange(np.prod(shape, dtype=int), dtype=np.uint32) + np.uint32(seed * 0x9E3779B9 % 2**32)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D)
        h = (h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B)
        h = h ^ (h >> np.uint32(16))
    values = (low + (high - low) * (h / 2**32)).astype(np.float32)
    return torch.from_numpy(values).to(torch.get_default_dtype()).reshape(shape)


def hashed_state(shapes):
    """Weights and running averages of a network: uniform within He's bound, scales 0.5 to 1.5, offsets -0.2 to 0.2."""
    state = {}
    for seed, name in enumerate(sorted(shapes)):
        shape = shapes[name]
        if len(shape) > 1:
            bound = np.sqrt(6 / np.prod(shape[1:]))
            low, high = -bound, bound
        elif name.endswith("running_var") or name.endswith(".weight"):
            low, high = 0.5, 1.5
        else:
            low, high = -0.2, 0.2
        state[name] = hashed(seed, shape, low, high)
    return state


def shapes_of(net):
    return {n: list(t.shape) for n, t in net.state_dict().items() if not n.endswith("num_batches_tracked")}


def nhwc(seed, n, size, channels):
    """Hashed in the engine's order, given to PyTorch in its own."""
    return hashed(seed, (n, size, size, channels), -1, 1).permute(0, 3, 1, 2)


def permutation(seed, count):
    return torch.argsort(hashed(seed, (count,), 0, 1))


SAMPLE = 48


def sampled(tensor):
    """A tensor's values, or 48 of them from hashed positions if it has more."""
    values = tensor.detach().reshape(-1)
    if values.numel() <= SAMPLE:
        return values
    positions = (hashed(9000, (SAMPLE,), 0, 1).double() * values.numel()).long()
    return values[positions.clamp(max=values.numel() - 1)]
