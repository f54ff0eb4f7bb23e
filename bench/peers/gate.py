#!/usr/bin/env python3
"""Judges gradients, losses and samples against a float64 reference.

    gate.py REFERENCE NAME:PRECISION:FILE ... [--perturb SHARE]

REFERENCE is the answer of a peer in f64 to the case file; each FILE that of a system, or the case file itself for
ganc. Prints a line of JSON for each: the largest relative error of a gradient, that of the losses, ok or why not.

The error of a gradient is its distance from the reference over the reference's length; a tensor whose true gradient
nearly cancels is measured against the gradient of its whole network. The error of a trajectory is the mean distance
of the losses over their mean magnitude: the systems drift apart as rounding grows from step to step, which is why its
tolerance is wide, and why it is a mean. The score of samples is the energy distance (Szekely and Rizzo 2013) between
those that G makes after the last step, of the same noise, and as many real examples; its error is relative to the
reference's score. --perturb adds that share of its length to one gradient of each FILE, to see
whether the gate bites."""
import argparse
import json

import numpy

import common

# Of D: f32 rounds at 1e-7, and one unit in 10^5 falls on the other side of a rectifier's kink: 3e-4 was seen at batch
# 128, ten times as much at batch 8. Of G, behind D's update: Adam's first steps are the signs of gradients, those of
# the smallest are rounding, so that every f32 system is 3e-2 from float64 in b, and as far from one another.
GRADIENT = {"discriminator": {"f32": 2e-3, "tf32": 2e-2, "bf16": 1.5e-1},
            "generator": {"f32": 5e-2, "tf32": 1e-1, "bf16": 3e-1}}
TRAJECTORY = {"f32": 0.05, "tf32": 0.10, "bf16": 0.15}
SCORE = {"f32": 0.10, "tf32": 0.15, "bf16": 0.25}


def gradients(path):
    tensors, _ = common.read(path)
    found = {name: numpy.asarray(x, "f8") for name, x in tensors.items() if name.startswith("gradient/")}
    return found, numpy.asarray(tensors["losses"], "f8"), samples(tensors, "samples/x")


def samples(tensors, name):
    return numpy.asarray(tensors[name], "f8").reshape(len(tensors[name]), -1) if name in tensors else None


def mean_distance(x, y):
    squares = (x * x).sum(1)[:, None] + (y * y).sum(1)[None] - 2 * x @ y.T
    return numpy.sqrt(numpy.maximum(squares, 0)).mean()


def score(x, real):
    return 2 * mean_distance(x, real) - mean_distance(x, x) - mean_distance(real, real)


def gradient_error(found, wanted, precision):
    """Of the tensor that is furthest from what it is allowed: its error, what is allowed, its name."""
    length = {name: numpy.linalg.norm(x) for name, x in wanted.items()}
    errors, worst = {}, {}
    for name, x in wanted.items():
        group = name.split("/")[1]
        whole = numpy.sqrt(sum(v * v for key, v in length.items() if key.split("/")[1] == group))
        error = numpy.linalg.norm(found[name] - x) / max(length[name], 0.01 * whole)
        errors[name] = error if numpy.isfinite(error) else numpy.inf
        worst[name] = errors[name] / GRADIENT[group][precision]
    which = max(worst, key=worst.get)
    return errors[which], GRADIENT[which.split("/")[1]][precision], which


def score_error(x, reference):
    """None where the reference has repeated fewer iterations than there are."""
    _, _, wanted, real = reference
    if real is None:
        return None
    if x is None:
        return numpy.inf
    target = score(wanted, real)
    return abs(score(x, real) - target) / target


def judge(path, precision, reference, perturb):
    found, losses, made = gradients(path)
    wanted, wanted_losses = reference[:2]
    if set(found) != set(wanted):
        return {"ok": False, "why": f"other gradients: {sorted(set(found) ^ set(wanted))[:3]}"}
    if perturb:
        name = sorted(found)[len(found) // 2]
        found[name] = found[name] + perturb * numpy.linalg.norm(found[name]) / numpy.sqrt(found[name].size)
    steps = min(len(losses), len(wanted_losses))
    gradient, allowed, which = gradient_error(found, wanted, precision)
    distance = numpy.abs(losses[:steps] - wanted_losses[:steps]).mean()
    trajectory = distance / numpy.abs(wanted_losses[:steps]).mean()
    row = {"gradient": float(gradient), "trajectory": float(trajectory), "steps": steps, "ok": True, "why": ""}
    samples_error = score_error(made, reference)
    if samples_error is not None:
        row["score"] = float(samples_error)
    if not gradient <= allowed:
        row |= {"ok": False, "why": f"{which} is off by {gradient:.1e}, allowed {allowed:.0e}"}
    elif not trajectory <= TRAJECTORY[precision]:
        row |= {"ok": False, "why": f"losses are off by {trajectory:.1e}, allowed {TRAJECTORY[precision]:.0e}"}
    elif samples_error is not None and not samples_error <= SCORE[precision]:
        row |= {"ok": False, "why": f"the score of samples is off by {samples_error:.1e}, allowed {SCORE[precision]:.0e}"}
    return row


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("reference")
    p.add_argument("files", nargs="+", metavar="NAME:PRECISION:FILE")
    p.add_argument("--perturb", type=float, default=0.0)
    a = p.parse_args()
    tensors, _ = common.read(a.reference)
    reference = (*gradients(a.reference), samples(tensors, "samples/real"))
    good = True
    for text in a.files:
        name, precision, path = text.split(":", 2)
        row = judge(path, precision, reference, a.perturb)
        good &= row["ok"]
        print(json.dumps({"name": name, **row}))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
