"""Writes test/methods/fixtures/nce.json: the NCE loss of instance discrimination over some batches, and its gradient.

    golden/bin/python test/golden/nce.py

Wu et al., 2018, equations 5 to 8, in the form of their code (lemniscate): Z is set once, from the first batch.
"""

import json
from pathlib import Path

import torch
from hashed import hashed

FIXTURES = Path(__file__).parent.parent / "methods" / "fixtures"
BATCH, NEGATIVES, IMAGES, TEMPERATURE, EPSILON = 6, 20, 50, 0.07, 1e-7


def main():
    torch.set_default_dtype(torch.float64)
    normalizer = None
    batches = []
    for seed in range(1, 5):
        logits = hashed(seed, (BATCH, NEGATIVES + 1), -1, 1).div(TEMPERATURE).requires_grad_()
        exponentials = torch.exp(logits)
        if normalizer is None:
            normalizer = exponentials.mean().item() * IMAGES
        model = exponentials / normalizer
        noise = NEGATIVES / IMAGES
        positive = torch.log(model[:, 0] / (model[:, 0] + noise + EPSILON))
        negative = torch.log(noise / (model[:, 1:] + noise + EPSILON))
        loss = -(positive.sum() + negative.sum()) / BATCH
        loss.backward()
        batches.append({"seed": seed, "loss": loss.item(), "gradient": logits.grad.flatten().tolist()})
    fixture = {
        "source": f"torch {torch.__version__}, test/golden/nce.py",
        "batch": BATCH,
        "negatives": NEGATIVES,
        "images": IMAGES,
        "temperature": TEMPERATURE,
        "normalizer": normalizer,
        "batches": batches,
    }
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / "nce.json").write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
