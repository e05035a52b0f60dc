"""What the server's processes use: CPU, memory, connections. Linux only."""

import os
import time
from pathlib import Path

from tests.support.processes import children_of


class Processes:
    """A server's main process and its descendants, looked for anew at each question."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """Seconds of user and system time so far, all threads of all processes."""
        return sum(map(cpu_of, self.all()))

    def memory(self) -> int:
        """Bytes of proportional set size: shared pages are divided by who shares them.

        What the kernel holds for sockets belongs to no process and is not in it.
        """
        return sum(map(_memory_of, self.all()))

    def connections(self) -> int:
        """Open file descriptors; all but a few are sockets of subscribers."""
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.all())

    def all(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            found += children_of(pid)  # the loop goes on over what it finds
        return found


def cpu_of(pid: int) -> float:
    """The process's CPU clock, to the nanosecond where /proc/PID/stat counts hundredths."""
    clock = ~pid << 3 | 2  # as clock_getcpuclockid makes it
    return time.clock_gettime(clock)


def _memory_of(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no memory is told for process {pid}")


def keep_to(core: int) -> None:
    """Keep this process, and what it starts from now on, to one core."""
    os.sched_setaffinity(0, {core})
