"""The least time an iteration of a case can take: what every layer must compute and move, counted by hand.

The schedule is the cheapest correct one with fresh noise for G: D forward, weight and data gradient on m real and m
fake examples at once, no gradient to the image; in G's step D forward and data gradient only, G both, none to z.
Fusion is perfect: a product reads its operands and writes its result once, batch norm and activation cost what the
backward pass must read again. Each product is a kernel; besides them a D-step has the gather and its Adam, an
iteration the loss and G's Adam. The floor is the sum over products of

    max(operations / peak, bytes / bandwidth, node)

and of the optimiser's bytes; on CUDA `operations` counts whole tiles of the best tile shape over the device's
multiprocessors, and `node` is what an empty kernel of a graph takes. On the CPU, whose caches hold much of what an
iteration touches, the bytes are left out: there the floor is the operations over the measured peak alone. Peak and
bandwidth are measured in the run."""
import math
from dataclasses import dataclass


@dataclass
class Layer:
    """Per example: products (rows, columns, depth) forward, data gradient, weight gradient; elements in and out."""
    forward: tuple
    data: tuple
    weight: tuple
    inputs: int
    outputs: int
    parameters: int
    norm: bool = False


@dataclass
class Machine:
    peak: float  # operations/s of the precision
    bandwidth: float  # bytes/s
    node: float = 0.0  # s a kernel
    processors: int = 0  # multiprocessors; 0: a CPU


def linear(i, o, norm=False, outputs=None):
    return Layer((1, o, i), (1, i, o), (o, i, 1), i, outputs or o, i * o + o, norm)


def conv(ci, co, size, k, stride, norm=False):
    out = size // stride
    return Layer((out * out, co, ci * k * k), (size * size, ci, co * k * k / stride**2), (co, ci * k * k, out * out),
                 ci * size * size, co * out * out, ci * co * k * k + co, norm)


def deconv(ci, co, size, k, stride, norm=False):
    out = size * stride
    return Layer((out * out, co, ci * k * k / stride**2), (size * size, ci, co * k * k), (ci, co * k * k, size * size),
                 ci * size * size, co * out * out, ci * co * k * k + co, norm)


def mlp():
    return ([linear(100, 256), linear(256, 512), linear(512, 1024), linear(1024, 784)],
            [linear(784, 512), linear(512, 256), linear(256, 1)])


def maxout():
    return ([linear(100, 1200), linear(1200, 1200), linear(1200, 784)],
            [linear(784, 1200), linear(240, 1200), linear(240, 1)])


def dcgan(size, nf, z=100):
    levels = int(math.log2(size // 4))
    c, h = nf << (levels - 1), 4
    g = [linear(z, c * 16, norm=True)]
    for _ in range(levels - 1):
        g.append(deconv(c, c // 2, h, 4, 2, norm=True))
        c, h = c // 2, 2 * h
    g.append(deconv(c, 3, h, 4, 2))
    d, c, h = [conv(3, nf, size, 4, 2)], nf, size // 2
    while h > 4:
        d.append(conv(c, 2 * c, h, 4, 2, norm=True))
        c, h = 2 * c, h // 2
    d.append(linear(c * 16, 1))
    return g, d


def resnet():
    """SN-GAN at 32 pixels; upsample + 3x3 folded to 2x2 phases, 3x3 + average pool to 4x4 stride 2."""
    g, h = [linear(128, 256 * 16, norm=True)], 4
    for _ in range(3):
        g.append(Layer((4 * h * h, 256, 1024), (h * h, 256, 4096), (256, 4096, h * h), 256 * h * h, 1024 * h * h,
                       256 * 256 * 9, True))
        g.append(conv(256, 256, 2 * h, 3, 1, norm=True))
        g.append(conv(256, 256, h, 1, 1))  # the shortcut commutes with the upsampling
        h *= 2
    g.append(conv(256, 3, 32, 3, 1))
    d = [conv(3, 128, 32, 3, 1), conv(128, 128, 32, 4, 2), conv(3, 128, 16, 1, 1),
         conv(128, 128, 16, 3, 1), conv(128, 128, 16, 4, 2), conv(128, 128, 8, 1, 1)]
    d += [conv(128, 128, 8, 3, 1) for _ in range(4)] + [linear(128, 1)]
    return g, d


# nets, m, batch of G's step, D-steps, bytes of the optimiser a parameter (read and written), power iteration
CASES = {
    "a1": (mlp(), 128, 128, 1, 30, False),
    "a2": (maxout(), 100, 100, 1, 22, False),
    "dcgan32": (dcgan(32, 64), 64, 64, 1, 30, False),
    "b": (dcgan(64, 64), 128, 128, 1, 30, False),
    "c": (resnet(), 64, 128, 5, 30, True),
    "d": (dcgan(128, 96), 256, 256, 1, 30, False),
}
TILES = [(128, 256, 1.0), (128, 128, 0.9), (128, 64, 0.7), (64, 64, 0.5), (64, 32, 0.35), (128, 8, 0.1)]


def products(g, d, m, mg, steps, size):
    """(operations, bytes, product) of every product of an iteration; `size` bytes an element."""
    found = []

    def add(shape, scaled, moved):
        rows, columns, depth = shape
        shape = (rows, columns, depth * scaled) if moved == "weight" else (rows * scaled, columns, depth)
        found.append([2 * rows * columns * depth * scaled, 0, shape])

    def forward(net, n):
        for l in net:
            add(l.forward, n, "")
            found[-1][1] = size * (n * (l.inputs + l.outputs) + l.parameters)

    def backward(net, n, weights):
        for i in reversed(range(len(net))):
            l = net[i]
            again = l.outputs if l.norm else 0
            if weights:
                add(l.weight, n, "weight")
                found[-1][1] = size * n * (l.inputs + l.outputs + again) + 4 * l.parameters
            if i > 0 or not weights:
                add(l.data, n, "")
                found[-1][1] = size * (n * (l.outputs + again + l.inputs * (2 if i else 1)) + l.parameters)

    for _ in range(steps):
        forward(g, m)
        forward(d, 2 * m)
        backward(d, 2 * m, True)
    forward(g, mg)
    forward(d, mg)
    backward(d, mg, False)
    backward(g, mg, True)
    return found


def tiled(shape, machine):
    rows, columns, depth = shape
    best = math.inf
    for a, b, share in TILES:
        for split in (1, 2, 4, 8, 16, 32, 64):
            if split > 1 and depth / split < 64:
                break
            waves = math.ceil(math.ceil(rows / a) * math.ceil(columns / b) * split / machine.processors)
            time = waves * 2 * a * b * max(depth / split, 32) / (machine.peak / machine.processors * share)
            if split > 1:
                time += 4 * rows * columns * split / machine.bandwidth
            best = min(best, time)
    return best


def count(case, size=4, batch=None):
    """operations, bytes of products, bytes of the optimiser, kernels of an iteration."""
    (g, d), m, mg, steps, per_parameter, power = CASES[case]
    m, mg = batch or m, mg * (batch or m) // m
    each = products(g, d, m, mg, steps, size)
    of_g, of_d = (sum(l.parameters for l in net) for net in (g, d))
    optimiser = (of_g + steps * of_d) * per_parameter + (8 * steps * of_d if power else 0)
    kernels = len(each) + steps + 2 + steps * (2 if power else 1)
    return sum(x[0] for x in each), sum(x[1] for x in each), optimiser, kernels, each


def seconds(case, machine, size=4, batch=None):
    operations, moved, optimiser, kernels, each = count(case, size, batch)
    if not machine.processors:
        return operations / machine.peak
    total = 0.0
    for _, bytes_, shape in each:
        total += max(tiled(shape, machine), bytes_ / machine.bandwidth, machine.node)
    rest = kernels - len(each) - 2
    return total + max(optimiser / machine.bandwidth, 2 * machine.node) + rest * machine.node
