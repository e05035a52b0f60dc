"""What the process says on standard error, and how much of it strangers can cause.

Of what strangers cause one line a minute is written of each kind, and then how many more there
were. Characters that a terminal obeys are written as escapes, and long values are cut.
"""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

MINUTE = 60.0  # seconds
MOST_KINDS = 100
"""That are counted apart; a message may hold what a stranger wrote."""

LONGEST_VALUE = 500  # characters

log = structlog.get_logger(__name__)


class CountedLog:
    """Writes `lines` a minute of each kind of event, and counts the others."""

    def __init__(self, lines: int) -> None:
        self._lines = lines
        self._counts: dict[str, tuple[float, int]] = {}

    def warning(self, event: str, **details: Any) -> None:
        """Write the event, or count it. Its text is its kind, so what varies is in the details."""
        if self.is_due(event):
            log.warning(plain(event), **details)

    def is_due(self, kind: str) -> bool:
        """Whether one more of the kind is to be written. It is counted if not."""
        if kind not in self._counts and len(self._counts) >= MOST_KINDS:
            kind = "others"
        since, number = self._counts.get(kind, (time.monotonic(), 0))
        self._counts[kind] = since, number + 1
        return number < self._lines

    def flush(self, after: float = MINUTE) -> None:
        """Write the counts of the kinds whose minute is over."""
        for kind, (since, number) in list(self._counts.items()):
            if time.monotonic() - since >= after:
                del self._counts[kind]
                if number > self._lines:
                    log.warning("log.repeated", of=kind, times=number - self._lines)


strangers = CountedLog(lines=1)
"""For what whoever reaches the server can cause as often as they like."""

libraries = CountedLog(lines=20)
"""For what libraries report about the process."""


def flush_counts(after: float = MINUTE) -> None:
    """To be called every second or so."""
    strangers.flush(after)
    libraries.flush(after)


def set_up_log() -> None:
    """Lines on standard error. Tracebacks tell no values of variables, which may be secrets."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _make_plain,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def set_up_library_logs() -> None:
    """Have what uvicorn, websockets and asyncio log written the same way."""
    for name in ("uvicorn", "websockets", "asyncio"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [_LibraryHandler(logging.WARNING)], False


def plain(text: str) -> str:
    """The text with escapes for line ends, control characters and marks of direction, and cut."""
    cut = text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def _make_plain(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str) and name != "event":
            event[name] = plain(value)
    return event


class _LibraryHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if _is_of_strangers(record):
            strangers.warning(message)
        elif libraries.is_due(message.partition("\n")[0]):
            log.log(record.levelno, message, exc_info=record.exc_info)


def _is_of_strangers(record: logging.LogRecord) -> bool:
    """A traceback of what was sent tells nothing; one of the application is a fault of ours."""
    is_protocol = record.name.startswith("websockets") or "/uvicorn/protocols/" in record.pathname
    return is_protocol and not str(record.msg).startswith("Exception in ASGI application")
