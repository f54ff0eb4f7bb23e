#!/usr/bin/env python3
"""PyTorch's side of a benchmark: the same iteration, spoken to in the same way as bench_worker.

    pytorch.py CASE [--device cpu|cuda] [--threads N] [--mode eager|channels_last|compile]

The nets, batch, loss, optimiser and schedule of bench/bench_worker.c: D on real, D on fake, D's Adam, then G with D's
weights frozen and fresh noise. Data are bytes on the device, picked by a permutation."""
import argparse
import resource
import sys
import time

start = time.perf_counter()
import torch
from torch import nn

CASES = {  # model, size, channels, z, features, batch
    "a1": ("mlp", 28, 1, 100, 0, 128),
    "a2": ("maxout", 28, 1, 100, 0, 100),
    "dcgan32": ("dcgan", 32, 3, 100, 64, 64),
    "b": ("dcgan", 64, 3, 100, 64, 128),
}
EXAMPLES = 10000


class Maxout(nn.Module):
    def __init__(self, inputs, units, pieces):
        super().__init__()
        self.linear, self.units, self.pieces = nn.Linear(inputs, units * pieces), units, pieces

    def forward(self, x):
        return self.linear(x).view(-1, self.units, self.pieces).amax(2)


def mlp(size, channels, z, nf):
    pixels, leaky = size * size * channels, lambda: nn.LeakyReLU(0.2, inplace=True)
    g = nn.Sequential(nn.Linear(z, 256), leaky(), nn.Linear(256, 512), leaky(), nn.Linear(512, 1024), leaky(),
                      nn.Linear(1024, pixels), nn.Tanh(), nn.Unflatten(1, (channels, size, size)))
    d = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 512), leaky(), nn.Linear(512, 256), leaky(), nn.Linear(256, 1))
    return g, d


def maxout(size, channels, z, nf):
    pixels, relu = size * size * channels, lambda: nn.ReLU(inplace=True)
    g = nn.Sequential(nn.Linear(z, 1200), relu(), nn.Linear(1200, 1200), relu(), nn.Linear(1200, pixels),
                      nn.Sigmoid(), nn.Unflatten(1, (channels, size, size)))
    d = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), Maxout(pixels, 240, 5), nn.Dropout(0.5), Maxout(240, 240, 5),
                      nn.Dropout(0.5), nn.Linear(240, 1))
    return g, d


def dcgan(size, channels, z, nf):
    levels = 0
    while size >> levels > 4:
        levels += 1
    c = nf << (levels - 1)
    g = [nn.Unflatten(1, (z, 1, 1)), nn.ConvTranspose2d(z, c, 4, bias=False), nn.BatchNorm2d(c), nn.ReLU(inplace=True)]
    for _ in range(levels - 1):
        g += [nn.ConvTranspose2d(c, c // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(c // 2), nn.ReLU(inplace=True)]
        c //= 2
    g += [nn.ConvTranspose2d(c, channels, 4, 2, 1, bias=False), nn.Tanh()]
    d, c = [nn.Conv2d(channels, nf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)], nf
    for _ in range(levels - 1):
        d += [nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2, inplace=True)]
        c *= 2
    d += [nn.Conv2d(c, 1, 4, bias=False), nn.Flatten()]
    return nn.Sequential(*g), nn.Sequential(*d)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--mode", default="eager", choices=["eager", "channels_last", "compile"])
    a = parser.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    model, size, channels, z, nf, m = CASES[a.case]
    dev = torch.device(a.device)
    last = a.mode == "channels_last"
    layout = torch.channels_last if last else torch.contiguous_format
    g, d = {"mlp": mlp, "maxout": maxout, "dcgan": dcgan}[model](size, channels, z, nf)
    g, d = g.to(dev, memory_format=layout), d.to(dev, memory_format=layout)
    fused = {"fused": True}
    opt_g = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999), **fused)
    opt_d = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999), **fused)
    data = torch.randint(0, 256, (EXAMPLES, channels, size, size), dtype=torch.uint8, device=dev)
    if last:
        data = data.contiguous(memory_format=torch.channels_last)
    softplus = nn.functional.softplus
    state = {"order": torch.randperm(EXAMPLES, device=dev), "at": 0}

    def d_loss_of(real, noise):
        with torch.no_grad():
            fake = g(noise)
        return softplus(-d(real)).mean() + softplus(d(fake)).mean()

    def g_loss_of(noise):
        return softplus(-d(g(noise))).mean()

    if a.mode == "compile":
        d_loss_of, g_loss_of = torch.compile(d_loss_of), torch.compile(g_loss_of)
    weights_d = list(d.parameters())

    def iteration():
        if state["at"] + m > EXAMPLES:
            state["order"], state["at"] = torch.randperm(EXAMPLES, device=dev), 0
        index = state["order"][state["at"]:state["at"] + m]
        state["at"] += m
        real = data[index].to(torch.float32) * (2 / 255) - 1
        opt_d.zero_grad(set_to_none=True)
        d_loss_of(real, torch.randn(m, z, device=dev)).backward()
        opt_d.step()
        for p in weights_d:
            p.requires_grad_(False)
        opt_g.zero_grad(set_to_none=True)
        g_loss_of(torch.randn(m, z, device=dev)).backward()
        opt_g.step()
        for p in weights_d:
            p.requires_grad_(True)

    def synchronize():
        if dev.type == "cuda":
            torch.cuda.synchronize()

    iteration()
    synchronize()
    print(f"ready {time.perf_counter() - start:.6f}", flush=True)
    for line in sys.stdin:
        if line == "memory\n":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
            continue
        begin = time.perf_counter()
        for _ in range(int(line)):
            iteration()
        synchronize()
        print(f"{time.perf_counter() - begin:.9f}", flush=True)


if __name__ == "__main__":
    main()
