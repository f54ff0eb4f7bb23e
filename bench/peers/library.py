#!/usr/bin/env python3
"""The library's own call for each line of standard input that bench_ops printed: cuBLAS and cuDNN, or oneDNN on the
CPU, through PyTorch without autograd, NHWC, f32 (TF32 off), or bf16 where the op's name ends so. Prints the line's
name and the shortest time of a run; several runs are one CUDA graph, so the host's share disappears as it does for
ganc.

    bench_ops | library.py [--device cpu|cuda] [--threads N] [--seconds S]"""
import argparse
import sys
import time

import torch
from torch.nn import functional as F

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--device", default="cpu")
p.add_argument("--threads", type=int, default=0)
p.add_argument("--seconds", type=float, default=0.2)
a = p.parse_args()
if a.threads:
    torch.set_num_threads(a.threads)
torch.set_grad_enabled(False)
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True
ON = {"device": a.device}
stored = torch.float32


def randn(*shape):
    x = torch.randn(*shape, dtype=stored, **ON)
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


def matmul(m, n, k, ta, tb):
    x, y = randn(*((k, m) if ta else (m, k))), randn(*((n, k) if tb else (k, n)))
    x, y, out = x.T if ta else x, y.T if tb else y, torch.empty(m, n, **ON)
    return lambda: torch.mm(x, y, out=out)


def convolution(kind):
    def make(n, size, c, k, filter_, stride, padding):
        out = (size + 2 * padding - filter_) // stride + 1
        x, w, y = randn(n, c, size, size), randn(k, c, filter_, filter_), randn(n, k, out, out)
        if kind == "conv2d":
            return lambda: F.conv2d(x, w, None, stride, padding)
        mask = [kind == "grad_input", kind == "grad_weight", False]
        return lambda: torch.ops.aten.convolution_backward(y, x, w, None, [stride] * 2, [padding] * 2, [1, 1], False,
                                                           [0, 0], 1, mask)
    return make


def pointwise(n):
    x, y = randn(n), randn(n)
    return lambda: F.leaky_relu_(x + y, 0.2)


def tanh(n):
    x, y = randn(n), torch.empty(n, **ON)
    return lambda: torch.tanh(x, out=y)


def reduce(rows, columns):
    x = randn(rows, columns)
    return lambda: x.sum(0)


def norm(n, size, c):
    x, g, b = randn(n, c, size, size), randn(c), randn(c)
    return lambda: F.relu_(F.batch_norm(x, None, None, g, b, True))


def norm_back(n, size, c):
    x, dy, g, b = randn(n, c, size, size), randn(n, c, size, size), randn(c), randn(c)

    def both():
        y, mean, scale = torch.ops.aten.native_batch_norm(x, g, b, None, None, True, 0, 1e-5)
        before = torch.ops.aten.threshold_backward(dy, F.relu_(y), 0)
        return torch.ops.aten.native_batch_norm_backward(before, x, g, None, None, mean, scale, True, 1e-5, [True] * 3)
    return both


def adam(n):
    x = randn(n).requires_grad_()
    x.grad = randn(n)
    rule = torch.optim.Adam([x], 1e-9, (0.5, 0.999), fused=True, capturable=a.device != "cpu")
    return rule.step


def gather(examples, m, size, channels):
    data = torch.zeros(examples, channels, size, size, dtype=torch.uint8, **ON)
    data = data.contiguous(memory_format=torch.channels_last)
    index = torch.randperm(examples, **ON)[:m]
    return lambda: data[index].float().mul_(1 / 127.5).sub_(1)


def random(n):
    x = torch.empty(n, **ON)
    return x.normal_


MAKE = {"matmul": matmul, "pointwise": pointwise, "tanh": tanh, "reduce": reduce, "norm": norm,
        "norm_back": norm_back, "adam": adam, "gather": gather, "random": random}
MAKE |= {kind: convolution(kind) for kind in ("conv2d", "grad_input", "grad_weight")}


def shortest(call):
    together = 1
    for _ in range(3):
        call()
    if a.device != "cpu":
        together = 16
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(together):
                call()
        call = graph.replay
    best, begin = float("inf"), time.perf_counter()
    while time.perf_counter() - begin < a.seconds:
        t = time.perf_counter()
        call()
        if a.device != "cpu":
            torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - t) / together)
    return best


for line in sys.stdin:
    name, *numbers = line.split("\t")[0].split()
    name, *how = name.split("/")
    stored = torch.bfloat16 if "bf16" in how else torch.float32
    print(f"{line.split(chr(9))[0]}\t{shortest(MAKE[name](*map(int, numbers))):.9f}", flush=True)
