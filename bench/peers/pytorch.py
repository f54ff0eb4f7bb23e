#!/usr/bin/env python3
"""PyTorch's side of a benchmark: the iterations of a case file, spoken to as common.py says.

    pytorch.py FILE [--device cpu|cuda] [--threads N] [--mode MODE] [--precision f32|tf32|bf16|f64] [--gate OUT]

MODE is eager, compile, compile-reduce-overhead, compile-max-autotune or graph (the whole iteration captured by hand),
with "+channels_last" for that memory format. D on real, D on fake (or on both joined, where there is no batch norm),
D's update, then G with D's weights frozen and fresh noise. Data are bytes on the device, picked by a permutation."""
import contextlib
import time

start = time.perf_counter()
import torch
from torch.nn import functional as F

import common
from torch_nets import Nets, convert, restore

BASES = ["eager", "compile", "compile-reduce-overhead", "compile-max-autotune", "graph"]
MODES = BASES + [f"{base}+channels_last" for base in BASES]
FREE = {"non-saturating": (lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(), lambda f: F.softplus(-f).mean()),
        "hinge": (lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), lambda f: -f.mean())}


class Peer:
    def __init__(self, case, a):
        self.case, self.device = case, torch.device(a.device)
        base, _, layout = a.mode.partition("+")
        self.last, self.graphed = bool(layout), base == "graph"
        self.real = torch.float64 if a.precision == "f64" else torch.float32
        self.cast = torch.bfloat16 if a.precision == "bf16" else None
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = a.precision in ("tf32", "bf16")
        torch.backends.cudnn.benchmark = True
        self.format = torch.channels_last if self.last else torch.contiguous_format
        self.nets = Nets(case, self.last)
        tensors = {name: convert(name, x, case, self.last) for name, x in case.group("weight").items()}
        self.p = {name: x.to(self.device, self.real).requires_grad_() for name, x in tensors.items()}
        self.running = {name: convert(name, x, case, self.last).to(self.device, self.real)
                        for name, x in case.group("statistic").items()}
        self.nets.vectors = self.running  # of power iteration; moved only where running statistics are
        self.of = {g: [x for name, x in self.p.items() if name.startswith(g)] for g in ("generator", "discriminator")}
        self.d_rule, self.g_rule = self.rule("discriminator"), self.rule("generator")
        data = torch.from_numpy(case.tensors["data"].copy()).permute(0, 3, 1, 2)
        self.data = data.to(self.device).contiguous(memory_format=self.format)
        self.d_objective, self.g_objective = FREE[case.objective]
        self.d_loss_of, self.g_loss_of = self.d_loss, self.g_loss
        if base.startswith("compile"):
            how = {"mode": base[8:]} if base != "compile" else {}
            self.d_loss_of, self.g_loss_of = (torch.compile(f, **how) for f in (self.d_loss, self.g_loss))
        self.compiled = base.startswith("compile")
        self.order, self.at, self.graph = None, len(self.data), None
        k, m = case.d_steps, case.batch
        self.index = torch.zeros(k, m, dtype=torch.int64, device=self.device)
        self.z = torch.zeros(k, m, case.z, dtype=self.real, device=self.device)
        self.g_z = torch.zeros(case.generator_batch, case.z, dtype=self.real, device=self.device)
        self.losses = torch.zeros(2, device=self.device, dtype=self.real)
        self.keep = None

    def rule(self, group):
        case, fast = self.case, {"fused": True} if self.real == torch.float32 else {}
        if case.optimizer == "momentum":
            return torch.optim.SGD(self.of[group], case.rate, case.momentum, **fast)
        if self.graphed:
            fast["capturable"] = True
        return torch.optim.Adam(self.of[group], case.rate, (float(case.beta1), float(case.beta2)), case.eps, **fast)

    def passes(self):
        return torch.autocast(self.device.type, self.cast) if self.cast else contextlib.nullcontext()

    # ---- an iteration ----

    def d_loss(self, real, z, keep):
        m = len(real)
        with self.passes():
            with torch.no_grad():
                fake = self.nets.generator(self.p, z)
            if self.nets.joined:
                both = self.nets.discriminator(self.p, torch.cat([real.reshape(fake.shape), fake]), self.running, keep).float()
                s_real, s_fake = both[:m], both[m:]
            else:
                s_real = self.nets.discriminator(self.p, real, self.running).float()
                s_fake = self.nets.discriminator(self.p, fake, self.running).float()
        if self.real == torch.float64:
            s_real, s_fake = s_real.double(), s_fake.double()
        return self.case.loss_scale * self.d_objective(s_real, s_fake)

    def g_loss(self, z, keep):
        with self.passes():
            s = self.nets.discriminator(self.p, self.nets.generator(self.p, z, self.running), None, keep)
        return self.g_objective(s if self.real == torch.float64 else s.float())

    def batch(self, index):
        real = self.data[index].to(self.real) * self.case.scale + self.case.low
        return real.contiguous(memory_format=self.format)

    def advance(self, index, z, g_z, keep=(None, None)):
        if self.compiled:
            torch.compiler.cudagraph_mark_step_begin()
        for i in range(self.case.d_steps):
            self.d_rule.zero_grad(set_to_none=True)
            d_loss = self.d_loss_of(self.batch(index[i]), z[i], keep[0])
            d_loss.backward()
            if i == 0 and self.kept is not None:
                self.keep_gradients("discriminator")
            self.d_rule.step()
        if self.compiled and self.kept is not None:  # G's step may take its place
            d_loss = d_loss.clone()
        for p in self.of["discriminator"]:
            p.requires_grad_(False)
        self.g_rule.zero_grad(set_to_none=True)
        g_loss = self.g_loss_of(g_z, keep[1])
        g_loss.backward()
        if self.kept is not None:
            self.keep_gradients("generator")
        self.g_rule.step()
        for p in self.of["discriminator"]:
            p.requires_grad_(True)
        return d_loss.detach(), g_loss.detach()

    # ---- timing ----

    kept = None

    def draw(self, z):
        return z.uniform_(-3**0.5, 3**0.5) if self.case.prior == "unit-uniform" else z.normal_()

    def examples(self):
        n = self.case.d_steps * self.case.batch
        if self.at + n > len(self.data):
            self.order, self.at = torch.randperm(len(self.data), device=self.device), 0
        self.at += n
        return self.order[self.at - n:self.at].view(self.case.d_steps, -1)

    def synchronize(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def capture(self, timing):
        """The iteration on static inputs, as a CUDA graph; noise is drawn inside when timed."""
        def body():
            if timing:
                self.draw(self.z), self.draw(self.g_z)
            keep = self.keep or (None, None)
            d_loss, g_loss = self.advance(self.index, self.z, self.g_z, keep)
            self.losses[0].copy_(d_loss)
            self.losses[1].copy_(g_loss)

        before = {name: x.detach().clone() for name, x in [*self.p.items(), *self.running.items()]}
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                body()
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            body()
        with torch.no_grad():  # the warm-up trained: back to where the file says
            for name, x in [*self.p.items(), *self.running.items()]:
                x.copy_(before[name])
            for rule in (self.d_rule, self.g_rule):
                for state in rule.state.values():
                    for value in state.values():
                        if torch.is_tensor(value):
                            value.zero_()

    def run(self, n):
        if self.graphed and self.graph is None:
            self.capture(True)
        for _ in range(n):
            index = self.examples()
            if self.graphed:
                self.index.copy_(index)
                self.graph.replay()
            else:
                self.advance(index, self.draw(self.z), self.draw(self.g_z))
        self.synchronize()
        return n

    def info(self):
        """Kernels of an iteration on CUDA (0: not counted), and bytes taken on the device."""
        if self.device.type != "cuda":
            return "0 0"
        activities = [torch.profiler.ProfilerActivity.CUDA]
        with torch.profiler.profile(activities=activities) as profile:
            self.run(1)
        launches = sum(e.count for e in profile.key_averages() if e.device_type == torch.autograd.DeviceType.CUDA)
        free, total = torch.cuda.mem_get_info()
        return f"{launches} {self.free_at_start - free}"

    # ---- the gate ----

    def keep_gradients(self, group):
        for name, x in self.p.items():
            if name.startswith(group):
                if name not in self.kept:
                    self.kept[name] = x.grad.detach().clone()
                else:
                    self.kept[name].copy_(x.grad)

    def gradients(self):
        found = {name: restore(name, x.float() if self.real != torch.float64 else x, self.case, self.last)
                 for name, x in self.kept.items()}
        if not self.graphed:
            self.kept = None
        return found

    def samples(self, z):
        z = torch.from_numpy(z.copy()).to(self.device, self.real)
        with torch.no_grad(), self.passes():
            x = self.nets.generator(self.p, z)
        x = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
        return x.reshape(len(z), -1).to(self.real).cpu().numpy()

    def replay(self, i):
        tensors = self.case.tensors
        if i == 0:
            self.kept = {}
        index = torch.from_numpy(tensors["index"][i].astype("i8")).to(self.device)
        z, g_z = (torch.from_numpy(tensors[name][i].copy()).to(self.device, self.real) for name in ("z", "g_z"))
        keep = [torch.from_numpy(tensors[f"keep/{n}"][i].copy()).to(self.device, self.real)
                for n in range(sum(name.startswith("keep/") for name in tensors))]
        keep = (keep[:3], keep[3:]) if keep else (None, None)
        if not self.graphed:
            d_loss, g_loss = self.advance(index, z, g_z, keep)
            return float(d_loss), float(g_loss)
        if self.graph is None:
            self.keep = tuple([x.clone() for x in half] for half in keep) if keep[0] else None
            self.index.copy_(index)
            self.z.copy_(z)
            self.g_z.copy_(g_z)
            self.capture(False)
        self.index.copy_(index)
        self.z.copy_(z)
        self.g_z.copy_(g_z)
        for static, given in zip(self.keep or (), keep):
            for x, y in zip(static, given):
                x.copy_(y)
        self.graph.replay()
        return tuple(self.losses.tolist())


def main():
    a = common.arguments(MODES)
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    free = torch.cuda.mem_get_info()[0] if a.device.startswith("cuda") else 0
    peer = Peer(common.Case(a.file), a)
    peer.free_at_start = free
    if a.gate:
        common.gate(peer.case, peer, a.gate, a.steps)
    else:
        common.serve(peer, start)


if __name__ == "__main__":
    main()
