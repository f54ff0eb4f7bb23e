#!/usr/bin/env python3
"""same_tensors.py A B: whether two safetensors files hold the same tensors, byte for byte; metadata may differ."""
import json
import struct
import sys


def tensors(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length:]
    return {name: (t["dtype"], t["shape"], body[slice(*t["data_offsets"])]) for name, t in header.items()}


a, b = map(tensors, sys.argv[1:])
different = sorted(set(a) ^ set(b)) + sorted(name for name in set(a) & set(b) if a[name] != b[name])
print(f"{len(a)} tensors, {len(different)} different", *different[:8])
sys.exit(bool(different))
