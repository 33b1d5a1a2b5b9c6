"""Writes test/data/fixtures/augment-*.json: images, parameters, and what torchvision and Pillow make of them.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/augment.py

Arrays of pixels are base64 of little-endian bytes, [N, H, W, 3]: uint8 for images and for what Pillow makes of them,
float32 for what torchvision makes of float tensors.
"""

import base64
import json
import math
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image, ImageFilter
from torchvision.transforms import functional as F

FIXTURES = Path(__file__).parent.parent / "data" / "fixtures"
OUT = 32
BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)
NEUTRAL = (1, 1, 1, 0)


def random_images(rng, count, size):
    """Smooth images with noise; the first holds black, white, grays and all pure colors (ties between channels)."""
    coarse = torch.from_numpy(rng.uniform(0, 255, (count, 3, 4, 4)))
    smooth = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").numpy()
    noisy = np.clip(smooth + rng.normal(0, 20, smooth.shape), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
    levels = np.array([0, 100, 180, 255], np.uint8)
    corners = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(8, 8, 3)
    noisy[0] = np.kron(corners, np.ones((size // 8, size // 8, 1), np.uint8))
    return noisy


def apply(image, p, grayscale_at, out=OUT):
    """
    One image through the operations of torchvision's transforms, with given parameters: a float tensor [3, H, W] in
    0..1, or a Pillow image, as the paper's code had. Operations that change nothing are left out.
    """
    x = F.resized_crop(image, p["top"], p["left"], p["height"], p["width"], [out, out], antialias=True)
    if p["gray"] and grayscale_at == "before jitter":
        x = F.rgb_to_grayscale(x, 3)
    adjust = {
        BRIGHTNESS: F.adjust_brightness,
        CONTRAST: F.adjust_contrast,
        SATURATION: F.adjust_saturation,
        HUE: F.adjust_hue,
    }
    for operation in p["order"]:
        if p["amounts"][operation] != NEUTRAL[operation]:
            x = adjust[operation](x, p["amounts"][operation])
    if p["gray"] and grayscale_at == "after jitter":
        x = F.rgb_to_grayscale(x, 3)
    if p["blurSigma"] > 0:
        x = blur(x, p["blurSigma"], out)
    return F.hflip(x) if p["flip"] else x


def blur(x, sigma, size):
    if isinstance(x, Image.Image):
        return x.filter(ImageFilter.GaussianBlur(radius=sigma))
    taps = 2 * min(math.ceil(3 * sigma), size - 1) + 1
    return F.gaussian_blur(x, [taps, taps], [sigma, sigma])


def draw(rng, image, size, hue, blur):
    # The first image is not resized, so that its exact colors reach the jitter. Hue takes each place in the order.
    height, width = (size, size) if image == 0 else (int(n) for n in rng.integers(size // 3, size + 1, 2))
    order = [int(n) for n in rng.permutation([BRIGHTNESS, CONTRAST, SATURATION])]
    order.insert(image % 4, HUE)
    return {
        "top": int(rng.integers(size - height + 1)),
        "left": int(rng.integers(size - width + 1)),
        "height": height,
        "width": width,
        "flip": image % 2,
        "order": order,
        "amounts": [float(np.float32(f)) for f in (*rng.uniform(0.6, 1.4, 3), rng.uniform(-hue, hue))],
        "gray": int(image in (2, 5)),
        "blurSigma": float(np.float32(rng.uniform(0.1, 2))) if blur and image % 3 else 0.0,
    }


def encode(array, dtype):
    return {"dtype": dtype, "base64": base64.b64encode(np.ascontiguousarray(array, dtype)).decode()}


def floats(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


def save(name, content):
    source = f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}, test/golden/augment.py"
    (FIXTURES / f"augment-{name}.json").write_text(json.dumps({"source": source, **content}) + "\n")


def write(name, seed, count, size, grayscale_at, hue, blur):
    rng = np.random.default_rng(seed)
    images = random_images(rng, count, size)
    parameters = [draw(rng, image, size, hue, blur) for image in range(count)]
    results = torch.stack([apply(image, p, grayscale_at) for image, p in zip(floats(images), parameters)])
    fixture = {
        "size": size,
        "outputSize": OUT,
        "grayscaleAt": grayscale_at,
        "parameters": parameters,
        "images": encode(images, "<u1"),
        "expected": encode(results.permute(0, 2, 3, 1).numpy(), "<f4"),
    }
    save(name, fixture)


def write_pillow(seed, count, size):
    """The same operations on Pillow images, each alone and all together, and how far floats are from them."""
    rng = np.random.default_rng(seed)
    images = random_images(rng, count + 1, size)[1:]
    drawn = [draw(rng, image + 1, size, 0.4, blur=False) for image in range(count)]
    sigmas = [float(np.float32(sigma)) for sigma in rng.uniform(0.1, 2, count)]
    nothing = {"top": 0, "left": 0, "height": size, "width": size, "flip": 0, "order": [0, 1, 2, 3]}
    nothing |= {"amounts": list(NEUTRAL), "gray": 0, "blurSigma": 0}

    def only(operation, share=1):
        """One operation of the jitter; `share` of the drawn hue."""
        amounts = [[*NEUTRAL[:operation], p["amounts"][operation] * share, *NEUTRAL[operation + 1 :]] for p in drawn]
        return [{**nothing, "amounts": one} for one in amounts]

    def all_steps(hue_share, blurred):
        return [
            {**p, "amounts": [*p["amounts"][:HUE], p["amounts"][HUE] * hue_share], "blurSigma": sigma if blurred else 0}
            for p, sigma in zip(drawn, sigmas)
        ]

    crop = ("top", "left", "height", "width")
    steps = {
        "crop and resize": ("after jitter", [{**nothing, **{side: p[side] for side in crop}} for p in drawn]),
        "mirror": ("after jitter", [{**nothing, "flip": 1} for _ in drawn]),
        "gray": ("after jitter", [{**nothing, "gray": 1} for _ in drawn]),
        "brightness": ("after jitter", only(BRIGHTNESS)),
        "contrast": ("after jitter", only(CONTRAST)),
        "saturation": ("after jitter", only(SATURATION)),
        "hue, up to 0.4": ("after jitter", only(HUE)),
        "hue, up to 0.1": ("after jitter", only(HUE, 0.25)),
        "blur": ("after jitter", [{**nothing, "blurSigma": sigma} for sigma in sigmas]),
        "all of v1": ("before jitter", all_steps(1, blurred=False)),
        "all of v2": ("after jitter", all_steps(0.25, blurred=True)),
    }
    content = {"size": size, "outputSize": size, "images": encode(images, "<u1"), "steps": []}
    for name, (grayscale_at, parameters) in steps.items():
        pillow = np.stack([apply(Image.fromarray(image), p, grayscale_at, size) for image, p in zip(images, parameters)])
        tensors = [apply(image, p, grayscale_at, size) for image, p in zip(floats(images), parameters)]
        difference = pillow - 255.0 * torch.stack(tensors).permute(0, 2, 3, 1).double().numpy()
        content["steps"].append(
            {
                "name": name,
                "grayscaleAt": grayscale_at,
                "parameters": parameters,
                "expected": encode(pillow, "<u1"),
                # Pillow minus floats, of 255.
                "meanAbsolute": round(float(np.abs(difference).mean()), 4),
                "largest": round(float(np.abs(difference).max()), 4),
                "channelBias": [round(float(bias), 4) for bias in difference.mean((0, 1, 2))],
            }
        )
    save("pillow", content)


def write_aspects(seed):
    """Images of any aspect: crops with all steps of v2, and the official evaluation's Resize and CenterCrop at its ratio."""
    rng = np.random.default_rng(seed)
    content = {"outputSize": 28, "grayscaleAt": "after jitter", "images": []}
    for number, (height, width) in enumerate([(40, 65), (67, 45), (30, 90), (32, 33), (20, 24)]):
        image = random_images(rng, 2, 96)[1][:height, :width]
        crop_height, crop_width = (int(rng.integers(side // 2, side + 1)) for side in (height, width))
        parameters = {
            **draw(rng, number, 20, 0.1, blur=True),
            "top": int(rng.integers(height - crop_height + 1)),
            "left": int(rng.integers(width - crop_width + 1)),
            "height": crop_height,
            "width": crop_width,
        }
        x = floats(image[None])[0]
        view = apply(x, parameters, content["grayscaleAt"], 28)
        evaluated = F.center_crop(F.resize(x, 32, antialias=True), [28, 28])
        content["images"].append(
            {
                "height": height,
                "width": width,
                "pixels": encode(image, "<u1"),
                "parameters": parameters,
                "view": encode(view.permute(1, 2, 0).numpy(), "<f4"),
                "evaluated": encode(evaluated.permute(1, 2, 0).numpy(), "<f4"),
            }
        )
    save("aspects", content)


if __name__ == "__main__":
    FIXTURES.mkdir(parents=True, exist_ok=True)
    write("v1", seed=1, count=8, size=32, grayscale_at="before jitter", hue=0.4, blur=False)
    write("v2", seed=2, count=8, size=32, grayscale_at="after jitter", hue=0.1, blur=True)
    write("smaller", seed=3, count=4, size=48, grayscale_at="after jitter", hue=0.1, blur=True)
    write_pillow(seed=4, count=16, size=24)
    write_aspects(seed=5)
