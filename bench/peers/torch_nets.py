"""The networks in PyTorch: functions of a dictionary of tensors under ganc's names.

Images are NCHW to PyTorch. A filter (K, R, S, C) becomes (K, C, R, S), and where a map is flattened or unflattened
the linear weight is put in the order that the memory format wants, so no iteration permutes anything."""
import torch
from torch.nn import functional as F


def convert(name, x, case, last):
    """ganc's tensor as PyTorch's parameter."""
    x = torch.from_numpy(x.copy())
    if x.ndim == 4:
        return x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
    if case.model == "dcgan" and name == "generator/project/linear/weight" and not last:
        return x.view(4, 4, -1, case.z).permute(2, 0, 1, 3).reshape(-1, case.z).contiguous()
    if case.model == "dcgan" and name == "discriminator/output/weight" and not last:
        return x.view(1, 4, 4, -1).permute(0, 3, 1, 2).reshape(1, -1).contiguous()
    return x


def restore(name, x, case, last):
    """The inverse, as an array."""
    x = x.detach().cpu()
    if x.ndim == 4:
        return x.permute(0, 2, 3, 1).contiguous().numpy()
    if case.model == "dcgan" and name == "generator/project/linear/weight" and not last:
        return x.view(-1, 4, 4, case.z).permute(1, 2, 0, 3).reshape(-1, case.z).contiguous().numpy()
    if case.model == "dcgan" and name == "discriminator/output/weight" and not last:
        return x.view(1, -1, 4, 4).permute(0, 2, 3, 1).reshape(1, -1).contiguous().numpy()
    return x.numpy()


class Nets:
    def __init__(self, case, last):
        self.case, self.last = case, last
        self.generator = getattr(self, f"{case.model}_generator")
        self.discriminator = getattr(self, f"{case.model}_discriminator")
        # Without batch norm one pass over [real; fake] is the same as two, and faster.
        self.joined = case.model in ("mlp", "maxout")

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
