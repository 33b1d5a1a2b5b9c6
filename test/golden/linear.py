"""Writes test/evaluate/fixtures/linear-steps.json: steps of the official linear classification protocol, in float64.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/linear.py

The steps of main_lincls.py (facebookresearch/moco@87e36d3): all but fc frozen, the model in evaluation mode, SGD at its rate of
30, an epoch that ends with a smaller batch. Weights and images are not stored: hashed.py and test/weights/hashed.ts make them.
"""

import json
from pathlib import Path

import torch
import torchvision
from encoder import narrow_resnet18
from hashed import hashed, nhwc

FIXTURES = Path(__file__).parent.parent / "evaluate" / "fixtures"
SOURCE = f"torch {torch.__version__}, torchvision {torchvision.__version__}, test/golden/linear.py"
CONFIG = {"width": 4, "classes": 7, "size": 8, "images": 14, "batch": 6, "epochs": 3, "milestones": [1, 2], "rate": 30}


def accuracy(output, target, topk):
    """As main_lincls.py has it, as counts."""
    _, pred = output.topk(max(topk), 1, True, True)
    correct = pred.t().eq(target.view(1, -1).expand_as(pred.t()))
    return [correct[:k].reshape(-1).sum().item() for k in topk]


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().reshape(-1).tolist()]


def main():
    torch.set_default_dtype(torch.float64)
    c = CONFIG
    model = narrow_resnet18(c["width"], c["classes"], "linear")
    for name, param in model.named_parameters():
        if name not in ["fc.weight", "fc.bias"]:
            param.requires_grad = False
    model.fc.weight.data.copy_(hashed(100, model.fc.weight.shape, -0.02, 0.02))
    model.fc.bias.data.zero_()
    frozen = {name: tensor.clone() for name, tensor in model.state_dict().items() if not name.startswith("fc.")}

    parameters = list(filter(lambda p: p.requires_grad, model.parameters()))
    assert len(parameters) == 2
    optimizer = torch.optim.SGD(parameters, c["rate"], momentum=0.9, weight_decay=0.0)
    criterion = torch.nn.CrossEntropyLoss()
    images, labels = nhwc(200, c["images"], c["size"], 3), torch.arange(c["images"]) * 5 % c["classes"]

    model.eval()
    steps = []
    for epoch in range(c["epochs"]):
        lr = c["rate"]
        for milestone in c["milestones"]:
            lr *= 0.1 if epoch >= milestone else 1.0
        for group in optimizer.param_groups:
            group["lr"] = lr
        for first in range(0, c["images"], c["batch"]):
            target = labels[first : first + c["batch"]]
            output = model(images[first : first + c["batch"]])
            loss = criterion(output, target)
            best, best_five = accuracy(output, target, topk=(1, 5))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps.append(
                {
                    "rate": lr,
                    "loss": loss.item(),
                    "topOne": best,
                    "topFive": best_five,
                    "weight": numbers(model.fc.weight.data),
                    "bias": numbers(model.fc.bias.data),
                }
            )
    state = model.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in frozen.items())
    with torch.no_grad():
        output = model(images)
    best, best_five = accuracy(output, labels, topk=(1, 5))
    content = {"source": SOURCE, "config": c, "steps": steps, "evaluated": {"topOne": best, "topFive": best_five}}
    (FIXTURES / "linear-steps.json").write_text(json.dumps(content) + "\n")


main()
