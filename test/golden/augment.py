"""Writes test/data/fixtures/augment-*.json: pictures, parameters, and what torchvision makes of them.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/augment.py

Arrays of pixels are base64 of little-endian bytes: uint8 for the pictures, float32 for the results, both [N, H, W, 3].
"""

import base64
import json
import math
from pathlib import Path

import numpy as np
import torch
from torchvision.transforms import functional as F

FIXTURES = Path(__file__).parent.parent / "data" / "fixtures"
OUT = 32
BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)


def pictures(rng, count, size):
    """Smooth pictures with noise; the first holds black, white, greys and all pure colours (ties between channels)."""
    coarse = torch.from_numpy(rng.uniform(0, 255, (count, 3, 4, 4)))
    smooth = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").numpy()
    noisy = np.clip(smooth + rng.normal(0, 20, smooth.shape), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
    levels = np.array([0, 100, 180, 255], np.uint8)
    corners = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(8, 8, 3)
    noisy[0] = np.kron(corners, np.ones((size // 8, size // 8, 1), np.uint8))
    return noisy


def apply(image, p, greyscale_at):
    """One picture [3, H, W] in 0..1 through the operations of torchvision's transforms, with given parameters."""
    x = F.resized_crop(image, p["top"], p["left"], p["height"], p["width"], [OUT, OUT], antialias=True)
    if p["grey"] and greyscale_at == "before jitter":
        x = F.rgb_to_grayscale(x, 3)
    adjust = {
        BRIGHTNESS: F.adjust_brightness,
        CONTRAST: F.adjust_contrast,
        SATURATION: F.adjust_saturation,
        HUE: F.adjust_hue,
    }
    for operation in p["order"]:
        x = adjust[operation](x, p["amounts"][operation])
    if p["grey"] and greyscale_at == "after jitter":
        x = F.rgb_to_grayscale(x, 3)
    if p["blurSigma"] > 0:
        taps = 2 * min(math.ceil(3 * p["blurSigma"]), OUT - 1) + 1
        x = F.gaussian_blur(x, [taps, taps], [p["blurSigma"]] * 2)
    return F.hflip(x) if p["flip"] else x


def draw(rng, picture, size, hue, blur):
    # The first picture is not resized, so that its exact colours reach the jitter. Hue takes each place in the order.
    height, width = (size, size) if picture == 0 else (int(n) for n in rng.integers(size // 3, size + 1, 2))
    order = [int(n) for n in rng.permutation([BRIGHTNESS, CONTRAST, SATURATION])]
    order.insert(picture % 4, HUE)
    return {
        "top": int(rng.integers(size - height + 1)),
        "left": int(rng.integers(size - width + 1)),
        "height": height,
        "width": width,
        "flip": picture % 2,
        "order": order,
        "amounts": [float(np.float32(f)) for f in (*rng.uniform(0.6, 1.4, 3), rng.uniform(-hue, hue))],
        "grey": int(picture in (2, 5)),
        "blurSigma": float(np.float32(rng.uniform(0.1, 2))) if blur and picture % 3 else 0.0,
    }


def encode(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype)).decode()


def write(name, seed, count, size, greyscale_at, hue, blur):
    rng = np.random.default_rng(seed)
    images = pictures(rng, count, size)
    parameters = [draw(rng, picture, size, hue, blur) for picture in range(count)]
    floats = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    results = torch.stack([apply(image, p, greyscale_at) for image, p in zip(floats, parameters)])
    fixture = {
        "source": f"torch {torch.__version__}, torchvision's functional transforms, test/golden/augment.py",
        "size": size,
        "outputSize": OUT,
        "greyscaleAt": greyscale_at,
        "parameters": parameters,
        "images": encode(images, "<u1"),
        "expected": encode(results.permute(0, 2, 3, 1).numpy(), "<f4"),
    }
    (FIXTURES / f"augment-{name}.json").write_text(json.dumps(fixture, indent=1) + "\n")


FIXTURES.mkdir(parents=True, exist_ok=True)
write("v1", seed=1, count=8, size=32, greyscale_at="before jitter", hue=0.4, blur=False)
write("v2", seed=2, count=8, size=32, greyscale_at="after jitter", hue=0.1, blur=True)
write("smaller", seed=3, count=4, size=48, greyscale_at="after jitter", hue=0.1, blur=True)
