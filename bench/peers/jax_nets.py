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
        self.joined = case.model in ("mlp", "maxout")  # no batch norm: [real; fake] in one pass

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
