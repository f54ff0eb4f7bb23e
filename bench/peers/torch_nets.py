"""The networks in PyTorch: functions of a dictionary of tensors under ganc's names.

Images are NCHW to PyTorch. A filter (K, R, S, C) becomes (K, C, R, S), and where a map is flattened or unflattened
the linear weight is put in the order that the memory format wants, so no iteration permutes anything."""
import torch
from torch.nn import functional as F


PROJECT = ("generator/project/linear/weight", "generator/project/weight", "generator/project/bias")


def convert(name, x, case, last):
    """ganc's tensor as PyTorch's parameter or buffer."""
    x = torch.from_numpy(x.copy())
    if x.ndim == 4:
        return x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
    if last or case.model in ("mlp", "maxout"):
        return x
    if name in PROJECT:  # (h·w·c, z) to (c·h·w, z)
        return x.view(4, 4, -1, x[0].numel()).permute(2, 0, 1, 3).reshape(x.shape).contiguous()
    if case.model == "dcgan" and name == "discriminator/output/weight":
        return x.view(1, 4, 4, -1).permute(0, 3, 1, 2).reshape(1, -1).contiguous()
    if name.endswith("/v") and f"weight/{name[:-2]}/weight" in case.tensors:  # (r·s·c) to (c·r·s)
        shape = case.tensors[f"weight/{name[:-2]}/weight"].shape
        return x.view(shape[1:]).permute(2, 0, 1).reshape(-1).contiguous() if len(shape) == 4 else x
    return x


def restore(name, x, case, last):
    """A gradient in ganc's layout, as an array."""
    x = x.detach().cpu()
    if x.ndim == 4:
        return x.permute(0, 2, 3, 1).contiguous().numpy()
    if last or case.model in ("mlp", "maxout"):
        return x.numpy()
    if name in PROJECT:
        return x.view(-1, 4, 4, x[0].numel()).permute(1, 2, 0, 3).reshape(x.shape).contiguous().numpy()
    if case.model == "dcgan" and name == "discriminator/output/weight":
        return x.view(1, -1, 4, 4).permute(0, 2, 3, 1).reshape(1, -1).contiguous().numpy()
    return x.numpy()


class Nets:
    def __init__(self, case, last):
        self.case, self.last = case, last
        self.generator = getattr(self, f"{case.model}_generator")
        self.discriminator = getattr(self, f"{case.model}_discriminator")
        # Without batch norm one pass over [real; fake] is the same as two, and faster.
        self.joined = case.model in ("mlp", "maxout", "resnet")

    @staticmethod
    def linear(p, name, x):
        return F.linear(x, p[f"{name}/weight"], p.get(f"{name}/bias"))

    @staticmethod
    def norm(p, name, x, running):
        mean, variance = (running[f"{name}/running_{s}"] for s in ("mean", "variance")) if running else (None, None)
        return F.batch_norm(x, mean, variance, p[f"{name}/gamma"], p[f"{name}/beta"], True, 0.1, 1e-5)

    # ---- mlp ----

    def mlp_generator(self, p, z, running=None):
        for i in (1, 2, 3):
            z = F.leaky_relu(self.linear(p, f"generator/hidden{i}", z), 0.2, inplace=True)
        return torch.tanh(self.linear(p, "generator/output", z))

    def mlp_discriminator(self, p, x, running=None, keep=None):
        x = x.flatten(1)
        for i in (1, 2):
            x = F.leaky_relu(self.linear(p, f"discriminator/hidden{i}", x), 0.2, inplace=True)
        return self.linear(p, "discriminator/output", x)

    # ---- maxout ----

    def maxout_generator(self, p, z, running=None):
        for i in (1, 2):
            z = F.relu(self.linear(p, f"generator/hidden{i}", z), inplace=True)
        return torch.sigmoid(self.linear(p, "generator/output", z))

    def maxout_discriminator(self, p, x, running=None, keep=None):
        def drop(x, i):
            share = 0.8 if i == 0 else 0.5
            return F.dropout(x, 1 - share) if keep is None else x * (keep[i] * (1 / share))

        x = drop(x.flatten(1), 0)
        for i in (1, 2):
            x = self.linear(p, f"discriminator/hidden{i}", x)
            x = drop(x.view(len(x), -1, 5).amax(2), i)
        return self.linear(p, "discriminator/output", x)

    # ---- dcgan ----

    def levels(self):
        return next(i for i in range(1, 9) if self.case.size >> i == 4)

    def dcgan_generator(self, p, z, running=None):
        n = self.levels()
        x = self.linear(p, "generator/project/linear", z)
        if self.last:
            x = x.view(len(z), 4, 4, -1).permute(0, 3, 1, 2)
        else:
            x = x.view(len(z), -1, 4, 4)
        x = F.relu(self.norm(p, "generator/project/norm", x, running), inplace=True)
        for i in range(1, n + 1):
            x = F.conv_transpose2d(x, p[f"generator/up{i}/conv/weight"], None, 2, 1)
            if i < n:
                x = F.relu(self.norm(p, f"generator/up{i}/norm", x, running), inplace=True)
        return torch.tanh(x)

    def dcgan_discriminator(self, p, x, running=None, keep=None):
        for i in range(1, self.levels() + 1):
            x = F.conv2d(x, p[f"discriminator/down{i}/conv/weight"], None, 2, 1)
            if i > 1:
                x = self.norm(p, f"discriminator/down{i}/norm", x, running)
            x = F.leaky_relu(x, 0.2, inplace=True)
        if self.last:
            x = x.permute(0, 2, 3, 1)
        return self.linear(p, "discriminator/output", x.flatten(1))

    # ---- resnet ----

    @staticmethod
    def spectral(p, name, u, v, learn):
        """The weight over its largest singular value (Miyato et al. 2018, algorithm 1); `learn` moves u and v."""
        w = p[f"{name}/weight"]
        matrix = (w if w.ndim == 2 else w.permute(0, 2, 3, 1) if not w.is_contiguous() else w).reshape(len(w), -1)
        if learn:
            with torch.no_grad():
                v.copy_(F.normalize(matrix.T @ u, dim=0, eps=1e-12))
                u.copy_(F.normalize(matrix @ v, dim=0, eps=1e-12))
        return w / torch.dot(u.clone(), matrix @ v.clone())

    def resnet_generator(self, p, z, running=None):
        def conv(name, x, padding):
            return F.conv2d(x, p[f"{name}/weight"], p.get(f"{name}/bias"), 1, padding)

        x = self.linear(p, "generator/project", z)
        x = x.view(len(z), 4, 4, -1).permute(0, 3, 1, 2) if self.last else x.view(len(z), -1, 4, 4)
        for i in (1, 2, 3):
            name = f"generator/up{i}"
            h = F.relu(self.norm(p, f"{name}/norm1", x, running), inplace=True)
            h = conv(f"{name}/conv1", F.interpolate(h, scale_factor=2), 1)
            h = conv(f"{name}/conv2", F.relu(self.norm(p, f"{name}/norm2", h, running), inplace=True), 1)
            x = h + F.interpolate(conv(f"{name}/shortcut", x, 0), scale_factor=2)
        x = F.relu(self.norm(p, "generator/norm", x, running), inplace=True)
        return torch.tanh(conv("generator/output", x, 1))

    def resnet_discriminator(self, p, x, running=None, keep=None):
        def weight(name):
            return self.spectral(p, name, self.vectors[f"{name}/u"], self.vectors[f"{name}/v"], running is not None)

        def conv(name, x, padding):
            return F.conv2d(x, weight(name), p[f"{name}/bias"], 1, padding)

        for i in (1, 2, 3, 4):
            name = f"discriminator/down{i}"
            h = conv(f"{name}/conv1", F.relu(x) if i > 1 else x, 1)
            h = conv(f"{name}/conv2", F.relu(h, inplace=True), 1)
            if i < 3:
                h, x = F.avg_pool2d(h, 2), conv(f"{name}/shortcut", F.avg_pool2d(x, 2), 0)
            x = x + h
        x = F.relu(x, inplace=True).sum((2, 3))
        return F.linear(x, weight("discriminator/output"), p["discriminator/output/bias"])
