"""The networks in JAX: functions of a dictionary of arrays under ganc's names, in ganc's own layout (NHWC, KRSC)."""
import jax
from jax import lax
from jax import numpy as jnp


def linear(p, name, x):
    y = x @ p[f"{name}/weight"].T
    return y + p[f"{name}/bias"] if f"{name}/bias" in p else y


def leaky(x):
    return jnp.where(x > 0, x, 0.2 * x)


def conv(x, w, stride, padding):
    pads = ((padding, padding),) * 2
    return lax.conv_general_dilated(x, w, (stride, stride), pads, dimension_numbers=("NHWC", "OHWI", "NHWC"))


def conv_transpose(x, w, stride, padding):
    """The adjoint of conv: w (K, R, S, C) from K channels to C."""
    pads = ((w.shape[1] - 1 - padding,) * 2, (w.shape[2] - 1 - padding,) * 2)
    return lax.conv_general_dilated(x, w[:, ::-1, ::-1, :], (1, 1), pads, lhs_dilation=(stride, stride),
                                    dimension_numbers=("NHWC", "IHWO", "NHWC"))


class Nets:
    def __init__(self, case):
        self.case = case
        self.generator = getattr(self, f"{case.model}_generator")
        self.discriminator = getattr(self, f"{case.model}_discriminator")
        self.joined = case.model in ("mlp", "maxout", "resnet")  # no batch norm: [real; fake] in one pass

    @staticmethod
    def norm(p, name, x, running):
        """Batch norm in training; `running` is a dictionary that is moved, or None."""
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        mean, variance = wide.mean((0, 1, 2)), wide.var((0, 1, 2))
        if running is not None:
            n = x.size // x.shape[-1]
            for key, value in (("mean", mean), ("variance", variance * (n / (n - 1)))):
                key = f"{name}/running_{key}"
                running[key] = 0.9 * running[key] + 0.1 * lax.stop_gradient(value)
        y = (wide - mean) * lax.rsqrt(variance + 1e-5) * p[f"{name}/gamma"] + p[f"{name}/beta"]
        return y.astype(x.dtype)

    def mlp_generator(self, p, z, running=None):
        for i in (1, 2, 3):
            z = leaky(linear(p, f"generator/hidden{i}", z))
        return jnp.tanh(linear(p, "generator/output", z))

    def mlp_discriminator(self, p, x, running=None, keep=None):
        x = x.reshape(len(x), -1)
        for i in (1, 2):
            x = leaky(linear(p, f"discriminator/hidden{i}", x))
        return linear(p, "discriminator/output", x)

    def maxout_generator(self, p, z, running=None):
        for i in (1, 2):
            z = jax.nn.relu(linear(p, f"generator/hidden{i}", z))
        return jax.nn.sigmoid(linear(p, "generator/output", z))

    def maxout_discriminator(self, p, x, running=None, keep=None):
        """`keep` holds the three masks, or a key to draw them by."""
        x = x.reshape(len(x), -1)
        for i, share in enumerate((0.8, 0.5, 0.5)):
            if i:
                x = linear(p, f"discriminator/hidden{i}", x)
                x = x.reshape(len(x), -1, 5).max(2)
            mask = keep[i] if isinstance(keep, tuple) else jax.random.bernoulli(jax.random.fold_in(keep, i), share,
                                                                               x.shape)
            x = x * (mask.astype(x.dtype) / share)
        return linear(p, "discriminator/output", x)

    def levels(self):
        return next(i for i in range(1, 9) if self.case.size >> i == 4)

    def dcgan_generator(self, p, z, running=None):
        n = self.levels()
        x = linear(p, "generator/project/linear", z).reshape(len(z), 4, 4, -1)
        x = jax.nn.relu(self.norm(p, "generator/project/norm", x, running))
        for i in range(1, n + 1):
            x = conv_transpose(x, p[f"generator/up{i}/conv/weight"], 2, 1)
            if i < n:
                x = jax.nn.relu(self.norm(p, f"generator/up{i}/norm", x, running))
        return jnp.tanh(x)

    def dcgan_discriminator(self, p, x, running=None, keep=None):
        for i in range(1, self.levels() + 1):
            x = conv(x, p[f"discriminator/down{i}/conv/weight"], 2, 1)
            if i > 1:
                x = self.norm(p, f"discriminator/down{i}/norm", x, running)
            x = leaky(x)
        return linear(p, "discriminator/output", x.reshape(len(x), -1))

    @staticmethod
    def spectral(p, name, running, learn):
        """The weight over its largest singular value (Miyato et al. 2018, algorithm 1); `learn` moves u and v."""
        w = p[f"{name}/weight"]
        matrix = w.reshape(len(w), -1)
        if learn:
            fixed = lax.stop_gradient(matrix)
            v = fixed.T @ running[f"{name}/u"].astype(w.dtype)
            v = v / jnp.maximum(jnp.linalg.norm(v), 1e-12)
            u = fixed @ v
            u = u / jnp.maximum(jnp.linalg.norm(u), 1e-12)
            running[f"{name}/u"] = u.astype(running[f"{name}/u"].dtype)
            running[f"{name}/v"] = v.astype(running[f"{name}/v"].dtype)
        u, v = running[f"{name}/u"].astype(w.dtype), running[f"{name}/v"].astype(w.dtype)
        return w / (u @ (matrix @ v))

    def resnet_generator(self, p, z, running=None):
        def same(name, x, padding):
            y = conv(x, p[f"{name}/weight"], 1, padding)
            return y + p[f"{name}/bias"] if f"{name}/bias" in p else y

        def wider(x):
            return jnp.repeat(jnp.repeat(x, 2, 1), 2, 2)

        x = linear(p, "generator/project", z).reshape(len(z), 4, 4, -1)
        for i in (1, 2, 3):
            name = f"generator/up{i}"
            h = jax.nn.relu(self.norm(p, f"{name}/norm1", x, running))
            h = same(f"{name}/conv1", wider(h), 1)
            h = same(f"{name}/conv2", jax.nn.relu(self.norm(p, f"{name}/norm2", h, running)), 1)
            x = h + wider(same(f"{name}/shortcut", x, 0))
        x = jax.nn.relu(self.norm(p, "generator/norm", x, running))
        return jnp.tanh(same("generator/output", x, 1))

    def resnet_discriminator(self, p, x, running=None, keep=None, learn=True):
        def same(name, x, padding):
            return conv(x, self.spectral(p, name, running, learn), 1, padding) + p[f"{name}/bias"]

        def pooled(x):
            return x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).mean((2, 4))

        for i in (1, 2, 3, 4):
            name = f"discriminator/down{i}"
            h = same(f"{name}/conv1", jax.nn.relu(x) if i > 1 else x, 1)
            h = same(f"{name}/conv2", jax.nn.relu(h), 1)
            if i < 3:
                h, x = pooled(h), same(f"{name}/shortcut", pooled(x), 0)
            x = x + h
        x = jax.nn.relu(x).sum((1, 2))
        return x @ self.spectral(p, "discriminator/output", running, learn).T + p["discriminator/output/bias"]
