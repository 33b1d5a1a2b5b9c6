"""Writes a file like meta.mat of ImageNet's development kit, of four synsets, with SciPy.

    golden/bin/python test/golden/imagenet_meta.py [folder instead of test]
"""

import io
import sys
from pathlib import Path

import numpy as np
import scipy.io

FIXTURES = (Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent) / "data/fixtures"
FIELDS = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images"]


def synset(number, name, words, children=()):
    return number, name, words, f"what {words} is", float(len(children)), np.array(children, dtype=float), 0.0, 1300.0


synsets = [
    synset(1.0, "n02119789", "kit fox, Vulpes macrotis"),
    synset(2.0, "n02100735", "English setter"),
    synset(3.0, "n02110185", "Siberian husky"),
    synset(1001.0, "n00001740", "entity", (1, 2, 3)),
]
array = np.array(synsets, dtype=[(field, object) for field in FIELDS]).reshape(-1, 1)
file = io.BytesIO()
scipy.io.savemat(file, {"synsets": array}, do_compression=True)
# The first 116 bytes are free text; SciPy writes the time there.
(FIXTURES / "imagenet-meta.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + file.getvalue()[116:])
