"""Writes small image files of many kinds, and what PIL's convert("RGB") makes of them.

    golden/bin/python test/golden/image_files.py [folder instead of test]
"""

import base64
import io
import json
import sys
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageCms

FIXTURES = (Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent) / "data/fixtures"
SIDE = 8


def swapped_profile():
    """sRGB with the primaries of red and blue exchanged: applying it changes colors by far."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = profile[blue + 4 : blue + 12], profile[red + 4 : red + 12]
    profile[24:36] = bytes(12)  # the time of its making
    return bytes(profile)


def main():
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    color = Image.fromarray(np.stack([columns * 32, rows * 32, (rows + columns) * 16], -1).astype(np.uint8))
    ink = np.asarray(color.convert("CMYK")).copy()
    ink[..., 3] = columns * 30
    print_image = Image.frombytes("CMYK", (SIDE, SIDE), ink.tobytes())
    turned = Image.Exif()
    turned[0x0112] = 6
    profile = swapped_profile()
    files = {
        "profile.png": (color, {"icc_profile": profile}),
        "profile.jpg": (color, {"icc_profile": profile, "quality": 95}),
        "profile.webp": (color, {"icc_profile": profile, "lossless": True}),
        "profile.tif": (color, {"icc_profile": profile}),
        "palette-profile.png": (color.quantize(16), {"icc_profile": profile}),
        "palette.gif": (color.quantize(16), {}),
        "gray.jpg": (color.convert("L"), {"quality": 95}),
        "bits.tif": (color.convert("1"), {}),
        "print.jpg": (print_image, {"quality": 95}),
        "print.tif": (print_image, {}),
        "turned.jpg": (color, {"exif": turned, "quality": 95}),
    }
    content = {"source": f"Pillow {PIL.__version__}, test/golden/image_files.py", "side": SIDE, "files": {}}
    for name, (image, options) in files.items():
        file = io.BytesIO()
        image.save(file, Image.registered_extensions()["." + name.split(".")[1]], **options)
        rgb = np.asarray(Image.open(file).convert("RGB"))
        content["files"][name] = {
            "file": base64.b64encode(file.getvalue()).decode(),
            "rgb": base64.b64encode(rgb.tobytes()).decode(),
        }
    (FIXTURES / "image-files.json").write_text(json.dumps(content) + "\n")


main()
