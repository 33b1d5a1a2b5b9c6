"""Writes test/weights/fixtures/safetensors-verdicts.json: small files, right and wrong, and whether the format's own reader takes them.

The wrong ones break one rule of the format each: https://github.com/huggingface/safetensors, sections Format and its attacks.
"""

import hashlib
import json
from pathlib import Path

import numpy
from safetensors import SafetensorError
from safetensors.numpy import load, save

ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
TWO = {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}
EMPTY = {"dtype": "F32", "shape": [0, 3], "data_offsets": [8, 8]}


def file(header, body=16, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    return size.to_bytes(8, "little") + text + bytes(range(body))


def text(*entries):
    return ("{" + ",".join(f"{json.dumps(name)}:{json.dumps(entry)}" for name, entry in entries) + "}").encode()


cases = {
    "two tensors": file({"a": ONE, "b": TWO}),
    "two tensors in the other order": file({"b": TWO, "a": ONE}),
    "an empty tensor between two": file({"a": ONE, "none": EMPTY, "b": TWO}),
    "an empty tensor after the last": file({"a": ONE, "none": EMPTY}, 8),
    "no tensors": file({}, 0),
    "spaces after the header": file(json.dumps({"a": ONE, "b": TWO}).encode() + b"   "),
    "text as metadata": file({"__metadata__": {"note": "é"}, "a": ONE, "b": TWO}),
    "a hole at the start": file({"b": TWO}),
    "a hole between tensors": file({"a": ONE, "b": {**TWO, "data_offsets": [12, 20]}}, 20),
    "bytes after the last tensor": file({"a": ONE}),
    "bytes after no tensor": file({}, 1),
    "the same bytes for two tensors": file({"a": ONE, "b": ONE}, 8),
    "tensors that overlap": file({"a": ONE, "b": {**TWO, "data_offsets": [4, 12]}}, 12),
    "a name twice, for the same bytes": file(text(("a", ONE), ("a", ONE)), 8),
    "a name twice, for other bytes": file(text(("a", ONE), ("a", TWO))),
    "offsets beyond the file": file({"a": ONE, "b": TWO}, 15),
    "offsets the wrong way round": file({"a": {**ONE, "data_offsets": [8, 0]}}, 8),
    "a negative offset": file({"a": {**ONE, "data_offsets": [-8, 0]}}, 0),
    "a shape of another size": file({"a": {**ONE, "shape": [3]}}, 8),
    "a shape whose size overflows": file({"a": {**ONE, "shape": [2**32, 2**32]}}, 8),
    "a shape whose size overflows before a length of 0": file({"a": {**ONE, "shape": [2**32, 2**32, 0], "data_offsets": [0, 0]}}, 0),
    "a type that is a list, nested deep": file(b'{"a":{"dtype":' + b"[" * 1000 + b"]" * 1000 + b',"shape":[2],"data_offsets":[0,8]}}', 8),
    "a size of -0": file(b'{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}', 0),
    "a size that is no integer": file({"a": {**ONE, "shape": [1.5]}}, 8),
    "a type that is none": file({"a": {**ONE, "dtype": "constructor"}}, 8),
    "metadata that is no text": file({"__metadata__": {"note": 1}, "a": ONE}, 8),
    "metadata that is a list": file({"__metadata__": ["note"], "a": ONE}, 8),
    "a header that is a list": file([], 0),
    "a header that is cut": file(json.dumps({"a": ONE}).encode()[:-1], 8),
    "a header that is no UTF-8": file(b'{"\xff":' + json.dumps(ONE).encode() + b"}", 8),
    "a mark of the byte order before the header": file(b"\xef\xbb\xbf" + json.dumps({"a": ONE}).encode(), 8),
    "a header with a comma too many": file(b'{"a":' + json.dumps(ONE).encode() + b",}", 8),
    "a header of length 0": file(b"", 0),
    "a header longer than the file": file({"a": ONE}, 8, 10_000),
    "a header longer than the format allows": file({"a": ONE}, 8, 100_000_001),
    "a header of 2^63 bytes": file({"a": ONE}, 8, 2**63),
    "seven bytes": bytes(7),
    "no byte": b"",
}


def accepted(content):
    try:
        load(content)
        return True
    # A type that NumPy does not have comes as another error than what the reader itself refuses.
    except (SafetensorError, KeyError, TypeError):
        return False


def checksum(tensors, metadata):
    """What the kit's files carry as "moco-kit sha256", written down a second time."""
    names = sorted(tensors)
    kinds = {"float32": "F32", "int64": "I64"}
    facts = [
        [list(entry) for entry in sorted(metadata.items())],
        [[name, kinds[str(tensors[name].dtype)], list(tensors[name].shape)] for name in names],
    ]
    digest = hashlib.sha256(json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode())
    for name in names:
        digest.update(tensors[name].tobytes())
    return digest.hexdigest()


# Laid out by the format's own writer, with the kit's checksum.
tensors = {
    "weight": numpy.arange(6, dtype=numpy.float32).reshape(2, 3) / 7,
    "count": numpy.array([2**62, -1], dtype=numpy.int64),
    "bias": numpy.array([0.5], dtype=numpy.float32),
}
metadata = {"note": 'é "quoted"', "format": "a test"}
sealed = save(tensors, {**metadata, "moco-kit sha256": checksum(tensors, metadata)})
# The writer keeps metadata in no certain order.
start = 8 + int.from_bytes(sealed[:8], "little")
header = json.loads(sealed[8:start])
header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
header_text = json.dumps(header, ensure_ascii=False).encode()
sealed = len(header_text).to_bytes(8, "little") + header_text + sealed[start:]
load(sealed)

content = {
    "verdicts": [
        {"name": name, "accepted": accepted(content), "hex": content.hex()} for name, content in cases.items()
    ],
    "sealed": sealed.hex(),
}
target = Path(__file__).parents[1] / "weights" / "fixtures" / "safetensors-verdicts.json"
target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
