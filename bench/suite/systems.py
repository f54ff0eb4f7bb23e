"""What is compared: ganc, and the peers in every configuration that can run here."""
import os
import pathlib
import shutil
import subprocess
from dataclasses import dataclass, field

from suite.machine import cores

here = pathlib.Path(__file__).resolve().parent.parent
PASSIVE = {"OMP_WAIT_POLICY": "passive"}  # threads that wait sleep: best for the peers, and for all on a busy machine
BRIEF = {**PASSIVE, "GOMP_SPINCOUNT": "5000"}  # as `ganc` sets it for itself (tools/main.c)


@dataclass
class System:
    name: str
    command: list
    precision: str = "f32"
    env: dict = field(default_factory=dict)
    peer: bool = True
    way: str = ""  # ganc on CUDA: branches (side by side), pdl (set up early), tuned (cuDNN's engines timed)

    def case_file(self):
        """Which of ganc's case files is its own."""
        return self.precision + (f"-{self.way}" if self.way else "")


OPTION = {"": [], "branches": ["--branches", "1"], "pdl": ["--pdl", "1"], "tuned": ["--tune", "1"]}


def ways(device, precision):
    """In f32 there is nothing to time: cuDNN's older functions have it."""
    return [""] if device == "cpu" else [way for way in OPTION if way != "tuned" or precision != "f32"]


def kept(way, folder):
    """The environment of one that tunes: a cache of its own, since the others start as the first time."""
    return {"GANC_CACHE": str(folder / "tuned")} if way == "tuned" else {}


NEEDED = {"numpy": "the correctness gate and every peer", "torch": "PyTorch", "jax": "JAX"}


def modules(python):
    """Which of NEEDED `python` has; a line for each that it has not."""
    ask = f"import importlib.util as u; print(*[n for n in {list(NEEDED)} if u.find_spec(n)])"
    try:
        have = set(subprocess.run([python, "-c", ask], capture_output=True, text=True).stdout.split())
    except OSError as error:
        return set(), [f"peers: {error}; ganc is measured alone, without a gate"]
    return have, [f"peers: {python} has no {name} ({what}); install it or pass --python"
                  for name, what in NEEDED.items() if name not in have]


def worker(program, case, device, precision, batch, way=""):
    command = [program, case, "--device", device, *OPTION[way]]
    if precision != "f32":
        command += ["--precision", precision]
    return command + (["--batch", str(batch)] if batch else [])


def torch_systems(python, file, device, precisions, images):
    script, found = str(here / "peers/pytorch.py"), []

    def add(mode, precision, threads=0):
        command = [python, script, file, "--device", device, "--mode", mode, "--precision", precision]
        name = f"pytorch {mode}" + (f" {threads}t" if threads else "") + (f" {precision}" if device != "cpu" else "")
        found.append(System(name, command + (["--threads", str(threads)] if threads else []), precision, PASSIVE))

    if device == "cpu":
        layouts = ["", "+channels_last"] if images else [""]
        for layout in layouts:
            for threads in sorted({1, cores()}):
                add(f"eager{layout}", "f32", threads)
        if shutil.which("g++") or shutil.which("c++"):
            add(f"compile{layouts[-1]}", "f32", cores())
        return found
    for precision in precisions:
        layout = "+channels_last" if images and precision == "bf16" else ""
        for base in ("eager", "compile", "compile-reduce-overhead", "compile-max-autotune", "graph"):
            add(base + layout, precision)
            if layout and base == "eager":
                add(base, precision)
    return found


def jax_systems(python, file, device, precisions):
    script = str(here / "peers/jax_peer.py")
    return [System(f"jax {mode}" + (f" {p}" if device != "cpu" else ""),
                   [python, script, file, "--device", device, "--mode", mode, "--precision", p], p, PASSIVE)
            for p in (["f32"] if device == "cpu" else precisions) for mode in ("jit", "scan")]


def all_of(a, have, case, file, images):
    """ganc in each precision (on the CPU also with OpenMP's own way of waiting, on CUDA also with its launches side by
    side, with them set up early, and with cuDNN's engines timed), then the peers whose mode contains one of --modes."""
    folder = pathlib.Path(file).parent
    found = [System(" ".join(["ganc", *([p] if a.device != "cpu" else []), *([way] if way else [])]),
                    worker(a.worker, case, a.device, p, a.batch, way), p, {**BRIEF, **kept(way, folder)}, False, way)
             for p in a.precisions for way in ways(a.device, p)]
    if a.device == "cpu" and not a.modes:
        found.append(System("ganc spinning", found[0].command, "f32", {}, False))
    if "numpy" in have and "torch" in have:
        found += torch_systems(a.python, file, a.device, a.precisions, images)
    if "numpy" in have and "jax" in have:
        found += jax_systems(a.python, file, a.device, a.precisions)
    wanted = a.modes.split(",") if a.modes else [""]
    return [s for s in found if not s.peer or any(w in s.name for w in wanted)]


def environment(system):
    return {**os.environ, **system.env}
