"""The machine: its name, its limits (measured by bench_peak), the energy it takes, memory of a process."""
import ctypes
import glob
import os
import platform
import subprocess

from suite import floor


def device_name(device):
    if device != "cpu":
        try:
            out = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True,
                                 text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            raise SystemExit(f"no {device} here: nvidia-smi does not answer") from None
        return out.stdout.splitlines()[int(device.partition(":")[2] or 0)].strip()
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()}, {cores()} cores"
    return f"{platform.machine()}, {cores()} cores"


def cores():
    return len(os.sched_getaffinity(0))


def measure(program, device, precision):
    """Peak, bandwidth and node time as `bench_peak` measures them; None when it cannot."""
    out = subprocess.run([program, "--device", device, "--precision", precision], capture_output=True, text=True)
    if out.returncode:
        return None
    peak, bandwidth, node = (float(x) for x in out.stdout.split()[:3])
    if device == "cpu":
        return floor.Machine(peak, bandwidth)
    return floor.Machine(peak, bandwidth, node, processors())


def best(a, b):
    """The better of two measurements: on a shared machine every disturbance makes them worse."""
    if a is None or b is None:
        return a or b
    return floor.Machine(max(a.peak, b.peak), max(a.bandwidth, b.bandwidth), min(a.node, b.node), a.processors)


def processors():
    """Multiprocessors of the first GPU, from the driver; 132 (H100, H200) where it cannot be asked."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        count, device = ctypes.c_int(), ctypes.c_int()
        if cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), 0):
            return 132
        cuda.cuDeviceGetAttribute(ctypes.byref(count), 16, device)  # CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT
        return count.value or 132
    except OSError:
        return 132


class Energy:
    """Joules so far: the GPU's counter through NVML, else the processor's (RAPL); None where neither can be read."""

    def __init__(self, device):
        self.read = self.nvml(device) if device != "cpu" else self.rapl()

    @staticmethod
    def nvml(device):
        try:
            library, handle, joules = ctypes.CDLL("libnvidia-ml.so.1"), ctypes.c_void_p(), ctypes.c_ulonglong()
            index = int(device.partition(":")[2] or 0)
            if library.nvmlInit_v2() or library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)):
                return None
            if library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(joules)):
                return None
        except (OSError, AttributeError):
            return None

        def read():
            library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(joules))
            return joules.value / 1e3

        return read

    @staticmethod
    def rapl():
        paths = [p for p in glob.glob("/sys/class/powercap/intel-rapl:[0-9]/energy_uj") if os.access(p, os.R_OK)]

        def read():
            return sum(int(open(p, encoding="ascii").read()) for p in paths) / 1e6

        return read if paths else None


def peak_memory(pid):
    """The largest resident set of a process so far, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) * 1024
