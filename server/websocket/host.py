"""What a connection needs of the process that it belongs to."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol

from realtime.presence import Presence
from resolvers.access.logins import Access
from resolvers.context import Context
from schema.live.documents import Asker
from schema.live.run import Live
from server.limits.members import MemberLimits

if TYPE_CHECKING:
    from server.websocket.protocol import Connection


class ConnectionHost(Protocol):
    """What a connection needs of the process: its doors, and who watches over it."""

    live: Live
    presence: Presence
    members: MemberLimits
    asker: Asker
    """As whom members are told of the schema."""

    def new_context(self) -> Context: ...

    async def admit(self, connection: "Connection", token: str | None) -> Access | None:
        """Let a token's owner in, and watch over what they may see from now on."""
        ...

    def has_one_too_many(self, connection: "Connection") -> bool:
        """Whether its member has more than may be open at once; it is not one of theirs then."""
        ...

    def leave(self, connection: "Connection") -> None: ...

    def wait_for(self, work: Awaitable[None]) -> None:
        """Have something done that nobody waits for."""
        ...

    def owes(self, connection: "Connection") -> None:
        """The connection does not take what it is shown."""
        ...

    def note_end(self, code: int, by: str) -> None:
        """A connection ends with a close code, given by the `server` or by the `peer`."""
        ...
