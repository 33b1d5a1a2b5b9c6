"""What pycocotools makes of an annotation file: python load-coco.py FILE.

Writes for each annotation its image, category, box, area, and the area and box of its mask as COCO's mask API computes them.
"""

import contextlib
import io
import json
import sys

from pycocotools import mask as mask_api
from pycocotools.coco import COCO

with contextlib.redirect_stdout(io.StringIO()):
    coco = COCO(sys.argv[1])
answer = []
for annotation in coco.loadAnns(coco.getAnnIds()):
    rle = coco.annToRLE(annotation)
    answer.append(
        {
            "imageId": annotation["image_id"],
            "category": coco.loadCats(annotation["category_id"])[0]["name"],
            "bbox": annotation["bbox"],
            "area": annotation["area"],
            "maskArea": int(mask_api.area(rle)),
            "maskBox": [float(value) for value in mask_api.toBbox(rle)],
            "decodedArea": int(coco.annToMask(annotation).sum()),
        }
    )
json.dump(answer, sys.stdout)
