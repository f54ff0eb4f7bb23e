"""Timing: each system is a process that stays alive; windows alternate between them."""
import statistics
import subprocess
import tempfile
import threading

from suite.machine import peak_memory
from suite.systems import environment

SILENT = 1800  # seconds until a process that does not answer is ended
SLOW, FEW = 4, 2  # a system so many times slower than the fastest has only so many windows


class Failed(Exception):
    pass


class Running:
    def __init__(self, system):
        self.system, self.times, self.joules, self.silent = system, [], [], False
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(system.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, env=environment(system))
        word = self.hear()
        if len(word) != 2 or word[0] != "ready":
            raise self.failure("did not start")
        self.first = float(word[1])

    def failure(self, what):
        self.process.kill()
        self.process.wait()
        if self.silent:
            what = f"ended after {SILENT} s without an answer"
        self.errors.seek(0)
        lines = [line for line in self.errors.read().splitlines() if line.strip()]
        return Failed(f"{self.system.name}: {what}: {lines[-1] if lines else 'no message'}")

    def end_silence(self):
        self.silent = True
        self.process.kill()

    def hear(self):
        watchdog = threading.Timer(SILENT, self.end_silence)
        watchdog.start()
        try:
            return self.process.stdout.readline().split()
        finally:
            watchdog.cancel()

    def ask(self, line):
        try:
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self.failure("stopped") from None
        answer = self.hear()
        if not answer:
            raise self.failure("stopped")
        return answer

    def calibrate(self, seconds):
        n, spent = 1, 0.0
        self.ask(1)  # the first after "ready" may still warm something up
        while spent < seconds / 4:
            spent, done = (float(x) for x in self.ask(n))
            n = n * 2 if spent < seconds / 4 else n
        self.n = max(1, round(done * seconds * 1.1 / spent))

    def window(self, energy):
        before = energy.read() if energy.read else None
        spent, done = (float(x) for x in self.ask(self.n))
        self.times.append(spent / done)
        if energy.read:
            self.joules.append((energy.read() - before) / done)

    def close(self):
        """Launches and bytes on the device; the peak of the resident set is taken before anything else is asked."""
        self.resident = peak_memory(self.process.pid)
        info = [int(x) for x in self.ask("info")]
        self.launches, self.on_device = info[0], info[-1]
        self.process.stdin.close()
        self.process.wait()

    @property
    def median(self):
        return statistics.median(self.times)


def interleave(systems, windows, seconds, energy, say):
    """Runs `windows` rounds of one window each; systems that fail are reported and left out."""
    alive = []
    for system in systems:
        try:
            running = Running(system)
            alive.append(running)
            running.calibrate(seconds)
        except Failed as error:
            say(f"  {error}")
            alive = [r for r in alive if r.system is not system]
    for i in range(windows):
        fastest = min((r.median for r in alive if r.times), default=0)
        for running in list(alive):
            if i >= FEW and running.median > SLOW * fastest:
                continue  # the others' windows are worth more than its
            try:
                running.window(energy)
            except Failed as error:
                say(f"  {error}")
                alive.remove(running)
    for running in alive:
        running.close()
    return [r for r in alive if r.times]


def in_groups(systems, size, windows, seconds, energy, say):
    """As interleave(), with at most `size` peers alive at a time, ganc beside each group of them: on one device all
    of them would not fit. ganc's windows of all groups count."""
    ours, peers, found = [s for s in systems if not s.peer], [s for s in systems if s.peer], {}
    for i in range(0, max(1, len(peers)), size):
        for running in interleave(ours + peers[i:i + size], windows, seconds, energy, say):
            first = found.setdefault(running.system.name, running)
            if first is not running:
                first.times += running.times
                first.joules += running.joules
    return list(found.values())
