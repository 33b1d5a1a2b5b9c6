"""Prints the tables of REPRODUCE.md that stand in the fixtures: `python3 test/golden/tables.py`. Needs no packages."""

import json
from pathlib import Path

TEST = Path(__file__).parent.parent
KINDS = {
    "loss": "loss",
    "logits": "logits",
    "queue": "queue",
    "bank": "bank",
    "convolutions": "convolutions",
    "batch_normalization": "BN scale, offset",
    "running_averages": "running averages",
    "head": "head",
}


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("| " + " | ".join(["---"] + ["---:"] * (len(header) - 1)) + " |")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def limits():
    """Three times the distance of float32 from float64 in PyTorch, the largest of the stored steps."""
    rows = []
    for path in sorted((TEST / "methods" / "fixtures").glob("trajectory-*.json")):
        steps = json.loads(path.read_text())["float32Distances"].values()
        largest = {kind: max((step[kind] for step in steps if kind in step), default=None) for kind in KINDS}
        cells = ["" if largest[kind] is None else f"{3 * largest[kind]:.1e}" for kind in KINDS]
        rows.append([path.stem.removeprefix("trajectory-"), *cells])
    table(["trajectory, largest error allowed", *KINDS.values()], rows)


def pillow():
    """Pillow minus float tensors, in levels of 255."""
    fixture = json.loads((TEST / "data" / "fixtures" / "augment-pillow.json").read_text())
    rows = []
    for step in fixture["steps"]:
        bias = " / ".join(f"{value + 0:.2f}" for value in step["channelBias"])
        rows.append([step["name"], f"{step['meanAbsolute']:.2f}", f"{step['largest']:.1f}", bias])
    table(["step", "mean difference", "largest", "shift of the mean: red / green / blue"], rows)


if __name__ == "__main__":
    limits()
    pillow()
