"""What the operations of one process share."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Protocol, Self, TypeVar

from models.database import Database
from realtime.feed import Feed
from realtime.presence import Presence
from resolvers.access.credentials import Credentials
from resolvers.access.logins import Sessions


class Service(Protocol):
    """What a subject keeps for as long as the process lives, such as `Casting`."""

    @classmethod
    def of_process(cls, process: "Process") -> Self:
        """With what it needs of the process. Called once, when somebody asks for it first."""
        ...


class CommitListener(Service, Protocol):
    """A service that is told what each transaction of the process has announced."""

    def note(self, announcements: Iterable[tuple[str, AbstractSet[str]]]) -> None:
        """Channels and their topics, after the commit. Waits for nothing."""
        ...


Kind = TypeVar("Kind", bound=Service)
Listener = TypeVar("Listener", bound=CommitListener)

_LISTENERS: list[type[CommitListener]] = []


def hears_commits(kind: type[Listener]) -> type[Listener]:
    """Decorates a service: in each process one is told of every commit, asked for or not."""
    _LISTENERS.append(kind)
    return kind


class Process:
    """One for each process: its connections, and one of each service that is asked for."""

    def __init__(
        self,
        database: Database,
        feed: Feed,
        credentials: Credentials,
        presence: Presence | None = None,
    ) -> None:
        self.database = database
        self.feed = feed
        self.credentials = credentials
        self.sessions = Sessions(database)
        self.presence = presence or Presence(feed)
        self._services: dict[type[Service], Any] = {}

    def service(self, kind: type[Kind]) -> Kind:
        """The process's only one of the kind."""
        service: Kind | None = self._services.get(kind)
        if service is None:
            service = self._services[kind] = kind.of_process(self)
        return service

    def note(self, announcements: Iterable[tuple[str, AbstractSet[str]]]) -> None:
        """Tell those who hear commits what one has announced."""
        for kind in _LISTENERS:
            self.service(kind).note(announcements)
