"""The correctness gate: before anything is timed, ganc and every peer must make the gradients and losses of a float64
reference from the same weights, data and noise (peers/gate.py judges)."""
import json
import subprocess

from suite.systems import PASSIVE, System, environment, here


def answer(system, out, steps, say):
    """Has a peer repeat the file's iterations; whether it could."""
    run = subprocess.run(system.command + ["--gate", str(out), "--steps", str(steps)], capture_output=True, text=True,
                         env=environment(system))
    if run.returncode:
        lines = [line for line in run.stderr.splitlines() if line.strip()]
        say(f"  {system.name}: the gate failed: {lines[-1] if lines else 'no message'}")
        return False
    return True


def reference(a, have, file, out, steps, say):
    script = "pytorch.py" if "torch" in have else "jax_peer.py"
    command = [a.python, str(here / "peers" / script), file, "--device", a.device, "--precision", "f64"]
    return answer(System("float64 reference", command, "f64", PASSIVE), out, steps, say)


def verdicts(a, have, systems, files, folder, steps, say):
    """{name: verdict} of the systems; `files` are ganc's case files by System.case_file()."""
    first = files[a.precisions[0]]
    if "numpy" not in have or not have & {"torch", "jax"}:
        say("  gate: not run, it needs numpy and PyTorch or JAX for the float64 reference")
        return {}
    if not reference(a, have, first, folder / "reference", steps, say):
        return {}
    texts, found = [], {}
    for i, system in enumerate(systems):
        if not system.peer:
            texts.append(f"{system.name}:{system.precision}:{files[system.case_file()]}")
        elif answer(system, folder / f"answer{i}", steps, say):
            texts.append(f"{system.name}:{system.precision}:{folder / f'answer{i}'}")
    run = subprocess.run([a.python, str(here / "peers/gate.py"), str(folder / "reference"), *texts],
                         capture_output=True, text=True)
    for line in run.stdout.splitlines():
        row = json.loads(line)
        found[row["name"]] = row
        if not row["ok"]:
            say(f"  gate: {row['name']}: {row['why']}")
    if not found:
        say(f"  gate: {run.stderr.strip().splitlines()[-1]}")
    return found
