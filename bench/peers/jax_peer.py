#!/usr/bin/env python3
"""JAX's side of a benchmark: the iterations of a case file, spoken to as common.py says.

    jax_peer.py FILE [--device cpu|cuda] [--mode jit|scan] [--precision f32|tf32|bf16|f64] [--gate OUT]

jit is one compiled step a call, its state donated; scan runs 16 steps a call (2 of a convolutional net on the CPU)
under lax.scan. Data lie on the device; noise is drawn inside. (Not named jax.py: it would hide the package.)"""
import os
import time

start = time.perf_counter()
import common

MODES = ["jit", "scan"]
a = common.arguments(MODES)
os.environ["JAX_PLATFORMS"] = "cpu" if a.device == "cpu" else "cuda"
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
os.environ["JAX_ENABLE_X64"] = str(int(a.precision == "f64"))
import jax
import numpy
from jax import numpy as jnp

from jax_nets import Nets

jax.config.update("jax_default_matmul_precision", {"tf32": "tensorfloat32", "bf16": "bfloat16"}.get(a.precision, "highest"))
OBJECTIVES = {
    "non-saturating": (lambda r, f: jax.nn.softplus(-r).mean() + jax.nn.softplus(f).mean(),
                       lambda f: jax.nn.softplus(-f).mean()),
    "hinge": (lambda r, f: jax.nn.relu(1 - r).mean() + jax.nn.relu(1 + f).mean(), lambda f: -f.mean())}


class Peer:
    def __init__(self, case):
        self.case, self.nets = case, Nets(case)
        self.real = jnp.float64 if a.precision == "f64" else jnp.float32
        self.cast = jnp.bfloat16 if a.precision == "bf16" else self.real
        self.chunk = 1 if a.mode == "jit" else 2 if a.device == "cpu" and case.model not in ("mlp", "maxout") else 16
        groups = ("generator", "discriminator")
        weights = {g: {n: jnp.asarray(x, self.real) for n, x in case.group("weight").items() if n.startswith(g)}
                   for g in groups}
        moments = {g: [jax.tree.map(jnp.zeros_like, weights[g]) for _ in range(2)] for g in groups}
        running = {n: jnp.asarray(x, self.real) for n, x in case.group("statistic").items()}
        self.state = {"weights": weights, "moments": moments, "running": running,
                      "step": jnp.zeros((), jnp.int32), "key": jax.random.key(1)}
        self.data = jnp.asarray(case.tensors["data"])
        self.order, self.at = None, len(self.data)
        self.d_objective, self.g_objective = OBJECTIVES[case.objective]
        self.timed = jax.jit(self.many, donate_argnums=0)
        self.given = jax.jit(self.step, donate_argnums=0)

    # ---- an iteration ----

    def low(self, p):
        return jax.tree.map(lambda x: x.astype(self.cast), p)

    def update(self, p, moments, grads, t):
        case = self.case
        if case.optimizer == "momentum":
            v = jax.tree.map(lambda v, g: case.momentum * v - case.rate * g, moments[0], grads)
            return jax.tree.map(jnp.add, p, v), [v, moments[1]]
        t = t.astype(self.real)
        b1, b2 = case.beta1, case.beta2
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, moments[0], grads)
        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, moments[1], grads)
        rate = case.rate / (1 - b1**t)
        scale = 1 / (1 - b2**t)
        return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v * scale) + case.eps), p, m, v), [m, v]

    def d_loss(self, p, g, real, z, keep, running):
        p, g = self.low(p), self.low(g)
        running, m = dict(running), len(real)
        fake = jax.lax.stop_gradient(self.nets.generator(g, z))
        if self.nets.joined:
            both = jnp.concatenate([real.reshape(fake.shape), fake])
            s = self.nets.discriminator(p, both, running, keep).astype(self.real)
            s_real, s_fake = s[:m], s[m:]
        else:
            s_real = self.nets.discriminator(p, real, running).astype(self.real)
            s_fake = self.nets.discriminator(p, fake, running).astype(self.real)
        return self.case.loss_scale * self.d_objective(s_real, s_fake), running

    def g_loss(self, g, p, z, keep, running):
        p, g = self.low(p), self.low(g)
        running = dict(running)
        fake = self.nets.generator(g, z, running)
        if self.case.model == "resnet":  # its vectors of power iteration are needed, but do not move here
            s = self.nets.discriminator(p, fake, running, keep, learn=False)
        else:
            s = self.nets.discriminator(p, fake, None, keep)
        return self.g_objective(s.astype(self.real)), running

    def step(self, state, data, index, z, g_z, keep):
        """-> state, losses, gradients of the first D-step and of G."""
        case, w, mo, running = self.case, dict(state["weights"]), dict(state["moments"]), state["running"]
        z, g_z = z.astype(self.cast), g_z.astype(self.cast)
        first = None
        for i in range(case.d_steps):
            real = (data[index[i]].astype(self.real) * case.scale + case.low).astype(self.cast)
            (d_loss, running), grads = jax.value_and_grad(self.d_loss, has_aux=True)(
                w["discriminator"], w["generator"], real, z[i], keep[0], running)
            first = first or grads
            t = state["step"] * case.d_steps + i + 1
            w["discriminator"], mo["discriminator"] = self.update(w["discriminator"], mo["discriminator"], grads, t)
        (g_loss, running), grads = jax.value_and_grad(self.g_loss, has_aux=True)(
            w["generator"], w["discriminator"], g_z, keep[1], running)
        w["generator"], mo["generator"] = self.update(w["generator"], mo["generator"], grads, state["step"] + 1)
        state = {"weights": w, "moments": mo, "running": running, "step": state["step"] + 1, "key": state["key"]}
        return state, jnp.stack([d_loss, g_loss]), first | grads

    # ---- timing ----

    def many(self, state, data, index):
        """`chunk` iterations on index (chunk, k, m), noise drawn inside."""
        case = self.case

        def body(state, index):
            key, *keys = jax.random.split(state["key"], 5)

            def draw(key, *shape):
                if case.prior == "unit-uniform":
                    return jax.random.uniform(key, shape, self.real, -3**0.5, 3**0.5)
                return jax.random.normal(key, shape, self.real)

            z = draw(keys[0], case.d_steps, case.batch, case.z)
            g_z = draw(keys[1], case.generator_batch, case.z)
            state, losses, _ = self.step({**state, "key": key}, data, index, z, g_z, keys[2:])
            return state, losses

        if a.mode == "jit":
            return body(state, index[0])
        return jax.lax.scan(body, state, index)

    def run(self, n):
        case, calls = self.case, -(-n // self.chunk)
        count = self.chunk * case.d_steps * case.batch
        random = numpy.random.default_rng(1)
        for _ in range(calls):
            if self.order is None or self.at + count > len(self.order):
                turns = -(-count // len(self.data))
                self.order = numpy.concatenate([random.permutation(len(self.data)) for _ in range(turns)])
                self.at = 0
            index = self.order[self.at:self.at + count].reshape(self.chunk, case.d_steps, case.batch)
            self.at += count
            self.state, losses = self.timed(self.state, self.data, index.astype("i4"))
        losses.block_until_ready()
        return calls * self.chunk

    def info(self):
        """Kernels are not counted (0); bytes on the device."""
        stats = jax.devices()[0].memory_stats() if a.device != "cpu" else None
        return f"0 {stats['peak_bytes_in_use'] if stats else 0}"

    # ---- the gate ----

    def replay(self, i):
        tensors = self.case.tensors
        keep = tuple(tensors[f"keep/{n}"][i] for n in range(sum(x.startswith("keep/") for x in tensors)))
        keep = (keep[:3], keep[3:]) if keep else (None, None)
        self.state, losses, grads = self.given(self.state, self.data, tensors["index"][i], tensors["z"][i], tensors["g_z"][i], keep)
        if i == 0:
            self.found = grads
        return tuple(float(x) for x in losses)

    def samples(self, z):
        x = self.nets.generator(self.low(self.state["weights"]["generator"]), jnp.asarray(z, self.cast))
        return numpy.asarray(x.astype(self.real)).reshape(len(z), -1)

    def gradients(self):
        return {name: numpy.asarray(x) for name, x in self.found.items()}


def main():
    peer = Peer(common.Case(a.file))
    if a.gate:
        common.gate(peer.case, peer, a.gate, a.steps)
    else:
        common.serve(peer, start)


if __name__ == "__main__":
    main()
