#!/usr/bin/env python3
"""Judges gradients and losses against a float64 reference.

    gate.py REFERENCE NAME:PRECISION:FILE ... [--perturb SHARE]

REFERENCE is the answer of a peer in f64 to the case file; each FILE that of a system, or the case file itself for
ganc. Prints a line of JSON for each: the largest relative error of a gradient, that of the losses, ok or why not.

The error of a gradient is its distance from the reference over the reference's length; a tensor whose true gradient
nearly cancels is measured against the gradient of its whole network. The error of a trajectory is the mean distance
of the losses over their mean magnitude: the systems drift apart as rounding grows from step to step, which is why its
tolerance is wide, and why it is a mean. G's gradients count a fifth (G_AFTER). --perturb adds that share of its length to one gradient of each FILE, to see
whether the gate bites."""
import argparse
import json

import numpy

import common

# f32 rounds at 1e-7, and one unit in 10^5 falls on the other side of a rectifier's kink: 3e-4 was
# seen at batch 128, ten times as much at batch 8.
GRADIENT = {"f32": 2e-3, "tf32": 2e-2, "bf16": 1.5e-1}
G_AFTER = 5  # times that for G's gradient: it comes after D's updates, and Adam's divide rounding by itself
TRAJECTORY = {"f32": 0.05, "tf32": 0.10, "bf16": 0.15}


def gradients(path):
    tensors, _ = common.read(path)
    found = {name: numpy.asarray(x, "f8") for name, x in tensors.items() if name.startswith("gradient/")}
    return found, numpy.asarray(tensors["losses"], "f8")


def gradient_error(found, wanted):
    """The largest over tensors, as a multiple of what is allowed to D's, and its name."""
    length = {name: numpy.linalg.norm(x) for name, x in wanted.items()}
    errors = {}
    for name, x in wanted.items():
        group = "/".join(name.split("/")[:2])
        whole = numpy.sqrt(sum(v * v for key, v in length.items() if key.startswith(group)))
        error = numpy.linalg.norm(found[name] - x) / max(length[name], 0.01 * whole)
        error /= G_AFTER if group.endswith("generator") else 1
        errors[name] = error if numpy.isfinite(error) else numpy.inf
    which = max(errors, key=errors.get)
    return errors[which], which


def judge(path, precision, reference, perturb):
    found, losses = gradients(path)
    wanted, wanted_losses = reference
    if set(found) != set(wanted):
        return {"ok": False, "why": f"other gradients: {sorted(set(found) ^ set(wanted))[:3]}"}
    if perturb:
        name = sorted(found)[len(found) // 2]
        found[name] = found[name] + perturb * numpy.linalg.norm(found[name]) / numpy.sqrt(found[name].size)
    steps = min(len(losses), len(wanted_losses))
    gradient, which = gradient_error(found, wanted)
    distance = numpy.abs(losses[:steps] - wanted_losses[:steps]).mean()
    trajectory = distance / numpy.abs(wanted_losses[:steps]).mean()
    row = {"gradient": float(gradient), "trajectory": float(trajectory), "steps": steps, "ok": True, "why": ""}
    if not gradient <= GRADIENT[precision]:
        row |= {"ok": False, "why": f"{which} is off by {gradient:.1e}, allowed {GRADIENT[precision]:.0e}"}
    elif not trajectory <= TRAJECTORY[precision]:
        row |= {"ok": False, "why": f"losses are off by {trajectory:.1e}, allowed {TRAJECTORY[precision]:.0e}"}
    return row


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("reference")
    p.add_argument("files", nargs="+", metavar="NAME:PRECISION:FILE")
    p.add_argument("--perturb", type=float, default=0.0)
    a = p.parse_args()
    reference = gradients(a.reference)
    good = True
    for text in a.files:
        name, precision, path = text.split(":", 2)
        row = judge(path, precision, reference, a.perturb)
        good &= row["ok"]
        print(json.dumps({"name": name, **row}))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
