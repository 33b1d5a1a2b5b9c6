"""The official side of bench/data.ts: PIL, torchvision's transforms and DataLoader with workers, as facebookresearch/moco@87e36d3.

Reads lines of JSON on stdin, answers each with a line on stdout:
  {"configure": {"folder", "size", "version", "workers", "batch", "repeats"}} -> opens the folder, starts the workers
  {"pass": true}                                                            -> goes through all batches, answers the seconds
Needs torch and torchvision (bench/requirements.txt); no part of the kit imports it.
"""

import json
import random
import sys
import time
from pathlib import Path

import torch
from PIL import Image, ImageFilter
from torchvision import transforms

torch.set_num_threads(1)


class GaussianBlur:
    """moco/loader.py."""

    def __call__(self, x):
        return x.filter(ImageFilter.GaussianBlur(radius=random.uniform(0.1, 2.0)))


def augmentation(version, size):
    """main_moco.py, with and without --aug-plus."""
    normalize = transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    crop = transforms.RandomResizedCrop(size, scale=(0.2, 1.0))
    last = [transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalize]
    if version == 2:
        jitter = transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8)
        blur = transforms.RandomApply([GaussianBlur()], p=0.5)
        return transforms.Compose([crop, jitter, transforms.RandomGrayscale(p=0.2), blur, *last])
    return transforms.Compose([crop, transforms.RandomGrayscale(p=0.2), transforms.ColorJitter(0.4, 0.4, 0.4, 0.4), *last])


class TwoCrops(torch.utils.data.Dataset):
    def __init__(self, folder, transform, repeats):
        self.files = sorted(str(path) for path in Path(folder).iterdir()) * repeats
        self.transform = transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with open(self.files[index], "rb") as file:  # as torchvision's pil_loader
            image = Image.open(file).convert("RGB")
        return self.transform(image), self.transform(image)


def start(folder, size, version, workers, batch, repeats):
    dataset = TwoCrops(folder, augmentation(version, size), repeats)
    return torch.utils.data.DataLoader(
        dataset, batch_size=batch, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=True
    )


if __name__ == "__main__":
    loader = None
    for line in sys.stdin:
        request = json.loads(line)
        if "configure" in request:
            loader = start(**request["configure"])
            for _ in loader:
                pass
            answer = {"ready": True}
        else:
            begin = time.perf_counter()
            images = sum(len(query) for query, _ in loader)
            answer = {"seconds": time.perf_counter() - begin, "images": images}
        print(json.dumps(answer), flush=True)
