"""Rows of figures: printed, and appended to bench/results.csv."""
import csv
import time

FIELDS = ["date", "device", "case", "batch", "system", "precision", "ms_per_iteration", "ms_min", "ms_max", "windows",
          "images_per_second", "speed_against_fastest_peer", "floor_ms", "times_floor", "launches", "peak_memory_mib",
          "first_iteration_s", "joules_per_iteration", "gradient_error", "trajectory_error", "sample_error",
          "gate_steps", "gate"]


def rows(device, case, batch, images, running, verdicts, floors, on_cpu):
    """`floors` by precision, in seconds (None: unknown). The ratio is against the fastest peer that passed the gate in
    the same precision; without a gate, against the fastest that ran, and the column `gate` says so."""
    found = []

    def passed(r):
        return not verdicts or verdicts.get(r.system.name, {}).get("ok", False)

    for r in running:
        peers = [x.median for x in running if x.system.peer and x.system.precision == r.system.precision and passed(x)]
        verdict, floor = verdicts.get(r.system.name), floors.get(r.system.precision)
        memory = r.resident if on_cpu else r.on_device
        found.append({
            "date": time.strftime("%Y-%m-%d"), "device": device, "case": case, "batch": batch,
            "system": r.system.name, "precision": r.system.precision, "ms_per_iteration": f"{r.median * 1e3:.4f}",
            "ms_min": f"{min(r.times) * 1e3:.4f}", "ms_max": f"{max(r.times) * 1e3:.4f}", "windows": len(r.times),
            "images_per_second": f"{images / r.median:.1f}",
            "speed_against_fastest_peer": f"{min(peers) / r.median:.3f}" if peers else "",
            "floor_ms": f"{floor * 1e3:.4f}" if floor else "",
            "times_floor": f"{r.median / floor:.2f}" if floor else "",
            "launches": r.launches or "", "peak_memory_mib": f"{memory / 2**20:.0f}" if memory else "",
            "first_iteration_s": f"{r.first:.3f}",
            "joules_per_iteration": f"{sum(r.joules) / len(r.joules):.4g}" if r.joules else "",
            "gradient_error": f"{verdict['gradient']:.1e}" if verdict and "gradient" in verdict else "",
            "trajectory_error": f"{verdict['trajectory']:.1e}" if verdict and "trajectory" in verdict else "",
            "sample_error": f"{verdict['score']:.1e}" if verdict and "score" in verdict else "",
            "gate_steps": verdict.get("steps", "") if verdict else "",
            "gate": ("passed" if verdict["ok"] else "failed") if verdict else "not run"})
    return found


def show(row, say):
    parts = [f"  {row['system']:36s} {float(row['ms_per_iteration']):10.3f} ms ({float(row['ms_min']):.3f} .. "
             f"{float(row['ms_max']):.3f})", f"{float(row['images_per_second']):8.0f} images/s"]
    for key, text in (("speed_against_fastest_peer", "x{}"), ("times_floor", "{} floors"), ("launches", "{} launches"),
                      ("peak_memory_mib", "{} MiB"), ("first_iteration_s", "first {} s"),
                      ("joules_per_iteration", "{} J"), ("gradient_error", "gradient {}"),
                      ("trajectory_error", "losses {}"), ("sample_error", "samples {}"),
                      ("gate", "gate {}")):
        if row[key] != "":
            parts.append(text.format(row[key]))
    say("  ".join(parts))


def append(path, found):
    new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, FIELDS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(found)
