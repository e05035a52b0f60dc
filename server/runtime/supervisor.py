"""A supervisor of worker processes: one that ends, or whose event loop hangs, is replaced.

Workers are forked from this process, which has imported everything: a new one serves within a
fraction of a second, on a busy machine too. From its event loop each sends a heartbeat, a byte
through a pipe; threads that still live do not count. The pipe's end says that the worker has gone,
and to the worker that the supervisor has.
"""

import faulthandler
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import structlog

HEARTBEAT = 1.0
"""Seconds between two heartbeats of a worker."""

HANGS_AFTER = 3.5
"""Seconds without a heartbeat after which a worker is killed."""

STARTS_WITHIN = 60.0
"""Seconds until the first heartbeat: what starts slowly on a busy machine must not be killed and
started for ever."""

LEAST_LIFE = 1.0
"""Seconds between the start of a worker and that of the one that replaces it, at least. They are
doubled with each that does not get as far as its first heartbeat."""

BACK_OFF = 30.0
"""Seconds that they become at most."""

GRACE = 10.0
"""Seconds that a process has for ending when it is told to."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger(__name__)

Work = Callable[[Callable[[], None]], None]
"""What a worker does. It is given the function that sends a heartbeat."""


class Worker:
    """One process, as its supervisor sees it."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.pipe = pipe
        self.has_started = False
        self.forked_at = time.monotonic()
        self.deadline = self.forked_at + STARTS_WITHIN
        """When it is killed, unless something is heard of it before."""
        self._ends_by = float("inf")

    def hear(self) -> bool:
        """Read the heartbeats that have come. False if the worker has gone."""
        if not os.read(self.pipe, 4096):
            return False
        self.has_started = True
        self.deadline = min(time.monotonic() + HANGS_AFTER, self._ends_by)
        return True

    def stop(self) -> None:
        self._ends_by = time.monotonic() + GRACE
        self.deadline = min(self.deadline, self._ends_by)
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """First it writes to standard error where it hangs, if it still can."""
        log.error("worker.hung", pid=self.pid)
        if self.has_started:
            os.kill(self.pid, signal.SIGUSR1)
            time.sleep(0.1)
        os.kill(self.pid, signal.SIGKILL)

    def bury(self) -> int:
        """Its exit code; that of a signal is negative."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # who has closed the pipe and lives is of no use
        os.close(self.pipe)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Supervisor:
    """Keeps `number` processes at `work` until it is told to stop."""

    def __init__(self, work: Work, number: int) -> None:
        self._work = work
        self._workers: list[Worker] = []
        self._starts = [0.0] * number
        """When the missing ones may start."""
        self._failures = 0
        self._have_started = False
        self._is_stopping = False
        self._woken, self._wake = os.pipe()

    def run(self) -> None:
        """Raises SystemExit if no worker ever gets as far as its first heartbeat."""
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: os.write(self._wake, b"."))
        while self._workers or not self._is_stopping:
            self._start_those_due()
            self._wait()
            for worker in self._workers:
                if worker.deadline <= time.monotonic():
                    worker.kill()
                    worker.deadline = float("inf")  # its pipe ends now

    def _start_those_due(self) -> None:
        now = time.monotonic()
        due = [start for start in self._starts if start <= now]
        self._starts = [start for start in self._starts if start > now]
        for _ in due:
            self._workers.append(self._fork())

    def _wait(self) -> None:
        """Until something is heard, or a deadline is over."""
        began = time.monotonic()
        ends = [worker.deadline for worker in self._workers] + self._starts
        timeout = max(0.0, min([*ends, began + STARTS_WITHIN]) - began)
        pipes = {worker.pipe: worker for worker in self._workers}
        heard, _, _ = select.select([self._woken, *pipes], [], [], timeout)
        if (late := time.monotonic() - began - timeout) > HEARTBEAT:
            # This process was halted itself, and the workers may have been.
            for worker in self._workers:
                worker.deadline += late
        for pipe in heard:
            if pipe == self._woken:
                self._stop()
            elif not pipes[pipe].hear():
                self._bury(pipes[pipe])
            else:
                self._have_started = True

    def _stop(self) -> None:
        os.read(self._woken, 1)
        if self._is_stopping:
            return
        self._is_stopping, self._starts = True, []
        for worker in self._workers:
            worker.stop()

    def _bury(self, worker: Worker) -> None:
        self._workers.remove(worker)
        code = worker.bury()
        if self._is_stopping:
            return
        log.error("worker.ended", pid=worker.pid, code=code)
        if not self._have_started:
            self._give_up(code)
        self._failures = 0 if worker.has_started else self._failures + 1
        self._starts.append(worker.forked_at + min(LEAST_LIFE * 2**self._failures, BACK_OFF))

    def _give_up(self, code: int) -> None:
        for worker in self._workers:
            worker.bury()
        raise SystemExit(code if code > 0 else 1)

    def _fork(self) -> Worker:
        pipe, heart = os.pipe()
        os.set_blocking(heart, False)
        # A signal that comes before the worker has handlers of its own must not go to ours.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        pid = os.fork()
        if pid == 0:
            self._be_worker(pipe, heart)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.close(heart)
        return Worker(pid, pipe)

    def _be_worker(self, pipe: int, heart: int) -> NoReturn:
        """Whatever happens, a worker does not return into what its supervisor was doing."""
        code = 1
        try:
            for fd in (pipe, self._woken, self._wake, *(worker.pipe for worker in self._workers)):
                os.close(fd)
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            faulthandler.register(signal.SIGUSR1, chain=False)
            self._work(lambda: send_heartbeat(heart))
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)


def send_heartbeat(pipe: int) -> None:
    try:
        os.write(pipe, b".")
    except BrokenPipeError:  # the supervisor was killed: nobody would replace this worker
        os.kill(os.getpid(), signal.SIGTERM)
    except BlockingIOError:  # it has not read for hours
        pass
