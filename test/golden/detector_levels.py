"""Writes the levels of a feature pyramid that regions belong to, and RoIAlign over several levels.

    golden/bin/python test/golden/detector_levels.py

See detector_rules.py and detector_fpn.py.
"""

import torch
from detector_fpn import align_levels, levels_of
from detector_rules import numbers, random_boxes, rounded, write
from hashed import hashed, sampled
from torchvision.ops.poolers import LevelMapper

# A batch of 64 x 96 pixels: P2 to P5.
MAPS, CHANNELS, CANONICAL = ((16, 24), (8, 12), (4, 6), (2, 3)), 2, 28


def assignment_part():
    cases = []
    for canonical, seed in ((224, 500), (28, 510)):
        # Areas at the borders of levels, and 0.1 % to either side of them.
        sides = [canonical * 2.0**power * share for power in (-3, -2, -1, 0, 1, 2) for share in (0.999, 1.0, 1.001)]
        squares = [[0.0, 0.0, side, side] for side in sides]
        oblong = [[3.0, 5.0, 3.0 + side / 4, 5.0 + side * 4] for side in sides]
        moved = [[10.1, 7.3, 10.1 + side, 7.3 + side] for side in sides if side % 7 != 0]
        degenerate = [[5.0, 5.0, 5.0, 5.0], [5.0, 5.0, 400.0, 5.0]]
        boxes = rounded(torch.tensor(squares + oblong + moved + degenerate))
        boxes = torch.cat([boxes, random_boxes(seed, 40, 4 * canonical, 4 * canonical)])
        levels = levels_of(boxes, canonical)
        # No box so near a border that rounding decides.
        assert torch.equal(levels, levels_of(boxes.float(), canonical))
        assert torch.equal(levels, LevelMapper(2, 5, canonical, 4)([boxes]) + 2)
        assert levels.unique().tolist() == [2, 3, 4, 5]
        cases.append({"canonical": canonical, "boxes": numbers(boxes), "levels": levels.tolist()})
    return cases


def align_part():
    inside = torch.tensor([[3.0, 5.0, 60.0, 62.0], [10.5, 20.25, 30.0, 41.5], [40.0, 30.0, 48.5, 36.0]])
    border = torch.tensor([[-6.0, -9.0, 8.0, 4.0], [70.0, 40.0, 99.0, 75.0], [-20.0, -20.0, 110.0, 90.0]])
    cases = {
        "different numbers": [inside, random_boxes(520, 9, 64, 96, smallest=4)],
        "over the border": [torch.cat([border, inside[:1]]), random_boxes(530, 6, 64, 96, smallest=10, largest=1.5)],
        "sides of exactly 14, 28 and 56": [
            torch.tensor([[8.0, 8.0, 22.0, 22.0], [8.0, 8.0, 36.0, 36.0]]),
            torch.tensor([[4.0, 4.0, 60.0, 60.0], [32.0, 20.0, 46.0, 34.0], [0.0, 0.0, 7.0, 28.0]]),
        ],
        "none in one image": [torch.zeros(0, 4), inside],
        "all on one level": [inside[1:2], inside[1:2] + 1],
    }
    content = []
    for seed, (name, rois) in enumerate(cases.items(), 540):
        rois = [rounded(boxes) for boxes in rois]
        for resolution in (7, 14):
            maps = [
                hashed(10 * seed + level, (2, *size, CHANNELS), -1, 1).permute(0, 3, 1, 2).clone().requires_grad_()
                for level, size in enumerate(MAPS, 2)
            ]
            y = align_levels(maps, rois, CANONICAL, resolution).permute(0, 2, 3, 1)
            (y * hashed(seed, y.shape, -1, 1)).sum().backward()
            gradients = [x.grad.permute(0, 2, 3, 1) for x in maps]
            content.append(
                {
                    "name": f"{name}, {resolution} bins",
                    # Of the weights of the sum; the map of a level has ten times that plus its level.
                    "seed": seed,
                    "resolution": resolution,
                    "rois": [numbers(boxes) for boxes in rois],
                    "levels": [levels_of(boxes, CANONICAL).tolist() for boxes in rois],
                    "output": numbers(sampled(y) if resolution == 14 else y),
                    "gradients": [numbers(gradient) for gradient in gradients],
                }
            )
    assert {level for one in content for levels in one["levels"] for level in levels} == {2, 3, 4, 5}
    return content


write(
    "fpn-levels.json",
    "detector_levels.py",
    {
        "assignment": assignment_part(),
        "align": {"canonical": CANONICAL, "channels": CHANNELS, "maps": MAPS, "cases": align_part()},
    },
)
