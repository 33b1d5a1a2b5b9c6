"""The first steps of moco-v1-imagenet in PyTorch: the other engine of `npx moco pretrain --preset moco-v1-imagenet --steps N`.

Starts from the kit's weights and queue, and takes the kit's views and permutations (paper-steps-start.mjs). A GPU of the official code
is a group of images here: keys are encoded group by group, and the query's gradient is summed over the groups.

    python paper_steps.py START [KIT.json]

KIT.json is what `npx moco pretrain ... --steps N --json` printed: then losses are compared.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

from cifar10_demo import safetensors


def main(start, kit=None):
    facts = json.loads((start / "facts.json").read_text())
    recipe = facts["recipe"]
    method, optimizer_values = recipe["method"], recipe["optimizer"]
    batch, size, groups = recipe["batchSize"], recipe["imageSize"], recipe["bnGroups"]
    state = safetensors(start / "start.safetensors")
    queue, pointer = state.pop("queue"), 0
    query, key = (getattr(torchvision.models, recipe["encoder"]["architecture"])(num_classes=recipe["encoder"]["dimension"]) for _ in range(2))
    for net in (query, key):
        missing, unexpected = net.load_state_dict(state, strict=False)
        assert not unexpected and all("running" in name or "num_batches" in name for name in missing), (missing, unexpected)
    optimizer = torch.optim.SGD(query.parameters(), recipe["learningRate"], optimizer_values["momentum"], weight_decay=optimizer_values["weightDecay"])

    def view(which, step):
        pixels = np.fromfile(start / f"view{which}-{step}.f32", np.float32).reshape(batch, size, size, 3)
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()

    losses = []
    for step in range(facts["steps"]):
        permutation = torch.from_numpy(np.fromfile(start / f"permutation-{step}.i32", np.int32)).long()
        with torch.no_grad():
            for k, q in zip(key.parameters(), query.parameters()):
                k.mul_(method["momentum"]).add_(q, alpha=1 - method["momentum"])
            shuffled = torch.cat([F.normalize(key(part), dim=1) for part in view(1, step)[permutation].chunk(groups)])
            keys = shuffled[permutation.argsort()]
        optimizer.zero_grad()
        total = 0.0
        for images, positives in zip(view(0, step).chunk(groups), keys.chunk(groups)):
            queries = F.normalize(query(images), dim=1)
            logits = torch.cat([(queries * positives).sum(1, keepdim=True), queries @ queue.T], 1) / method["temperature"]
            loss = F.cross_entropy(logits, torch.zeros(len(images), dtype=torch.long)) / groups
            loss.backward()
            total += loss.item()
        optimizer.step()
        queue[pointer : pointer + batch] = keys
        pointer = (pointer + batch) % len(queue)
        losses.append(total)
        print(f"step {step + 1}: loss {total:.6f}", flush=True)
    if kit is None:
        return
    theirs = [one["loss"] for one in json.loads(kit.read_text())["losses"]]
    differences = [abs(ours - kits) / abs(ours) for ours, kits in zip(losses, theirs, strict=True)]
    print("relative differences: " + ", ".join(f"{difference:.1e}" for difference in differences))
    sys.exit(int(max(differences) > 1e-3))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
