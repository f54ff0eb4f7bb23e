"""What all peers share: the case file, the arguments, and the conversation with bench/run.

A peer is started as `PEER FILE [options]` with a file that `bench_worker CASE --export FILE` wrote. It answers as
bench_worker does: "ready SECONDS" after the first iteration, then "SECONDS N" for every number N (or a little more,
where it runs several iterations at a time), and a line for "info". With --gate OUT it repeats the iterations of the
file instead, from its weights, data and noise, and writes its gradients, its losses and samples of the trained G to OUT."""
import argparse
import json
import struct
import sys
import time

import numpy

TYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "|u1"}


def read(path):
    """A safetensors file: its tensors as arrays on the file, and its metadata."""
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
    metadata = header.pop("__metadata__", {})
    whole = numpy.memmap(path, mode="r", offset=8 + length, dtype="u1")
    tensors = {}
    for name, row in header.items():
        begin, end = row["data_offsets"]
        tensors[name] = whole[begin:end].view(TYPES[row["dtype"]]).reshape(row["shape"])
    return tensors, metadata


def write(path, tensors):
    header, at = {}, 0
    for name, x in tensors.items():
        dtype = next(key for key, value in TYPES.items() if numpy.dtype(value) == x.dtype)
        header[name] = {"dtype": dtype, "shape": list(x.shape), "data_offsets": [at, at + x.nbytes]}
        at += x.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for x in tensors.values():
            f.write(numpy.ascontiguousarray(x).tobytes())


class Case:
    """The fields of bench_case by name, and the file's tensors."""

    def __init__(self, path):
        self.tensors, metadata = read(path)
        for key, value in metadata.items():
            try:
                value = float(value)
                value = int(value) if value.is_integer() else value
            except ValueError:
                pass
            setattr(self, key, value)
        self.scale = (self.high - self.low) / 255
        self.steps = len(self.tensors["losses"])

    def group(self, prefix):
        n = len(prefix) + 1
        return {name[n:]: x for name, x in self.tensors.items() if name.startswith(prefix + "/")}


def arguments(modes):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file")
    p.add_argument("--device", default="cpu")
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--mode", default=modes[0], choices=modes)
    p.add_argument("--precision", default="f32", choices=["f32", "tf32", "bf16", "f64"])
    p.add_argument("--gate", metavar="OUT")
    p.add_argument("--steps", type=int, help="of the gate; as many as the file has")
    return p.parse_args()


def gate(case, peer, out, steps):
    """Repeats `steps` iterations; `peer.replay(i)` answers (d_loss, g_loss), `peer.gradients()` those of replay 0,
    `peer.samples(z)` what G then makes of z, (m, pixels) in the order of ganc's."""
    steps = min(steps or case.steps, case.steps)
    losses = numpy.empty((steps, 2))
    found = {}
    for i in range(steps):
        losses[i] = peer.replay(i)
        if i == 0:
            found = {f"gradient/{name}": numpy.asarray(x) for name, x in peer.gradients().items()}
    if steps == case.steps:
        found["samples/x"] = numpy.ascontiguousarray(peer.samples(case.tensors["samples/z"]))
        found["samples/real"] = case.tensors["data"][case.tensors["samples/index"]] * case.scale + case.low
    write(out, {"losses": losses, **found})


def serve(peer, start):
    """`peer.run(n)` does about n iterations, waits for them, and answers how many; `peer.info()` is a line."""
    peer.run(1)
    print(f"ready {time.perf_counter() - start:.6f}", flush=True)
    for line in sys.stdin:
        if line == "info\n":
            print(peer.info(), flush=True)
            continue
        begin = time.perf_counter()
        n = peer.run(int(line))
        print(f"{time.perf_counter() - begin:.9f} {n}", flush=True)
