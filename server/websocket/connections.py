"""The connections of one process: let in, watched over, and sent away."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from strawberry.http.websocket_origin import (
    is_same_origin,
    normalize_allowed_origins,
    normalize_origin,
)

from realtime.feed import FeedStopped
from realtime.tasks import next_moment, watched
from realtime.topics import ACCESS_CHANNEL, GAP, member_of_topic
from resolvers.access.changes import AccessChanges
from resolvers.access.logins import Access
from resolvers.context import Context
from schema.live.documents import Asker
from schema.live.run import Live
from server.auth.credentials import hash_token
from server.auth.session_cookie import SessionCookie
from server.limits.connections import address_of
from server.limits.members import MemberLimits
from server.runtime.gc_tuning import Collector
from server.runtime.log import strangers
from server.runtime.ping_scheduler import Keepalive
from server.websocket.close_codes import INITIALISATION_TIMEOUT, TOO_SLOW
from server.websocket.frames import FrameProtocol, show
from server.websocket.outlets import outlet_of, unless_gone
from server.websocket.protocol import Connection

PROTOCOL = "graphql-transport-ws"
NO_SUCH_PROTOCOL = 4406
ABNORMAL_CLOSURE = 1006  # without a close frame

# All in seconds.
INTRODUCE_WITHIN = 5.0
LOOK_EVERY = 1.0
OWES_AT_MOST = 10.0
NOTICE = 120.0
READ_ACCESS_EVERY = 5.0
TRY_AGAIN_AFTER = 1.0
COLLECT_AFTER = 60.0  # of quiet

NEVER = datetime.max.replace(tzinfo=UTC)

log = structlog.get_logger(__name__)


class Sockets:
    """The ASGI endpoint for WebSockets, and what all its connections share."""

    def __init__(
        self,
        origins: Iterable[str] = (),
        cookie: SessionCookie | None = None,
        asker: Asker = Asker.DEVELOPER,
        members: MemberLimits | None = None,
    ) -> None:
        self.asker = asker
        self.members = members or MemberLimits()
        self.ended: Counter[tuple[int, str]] = Counter()
        """Connections by close code and who gave it, since the process began."""
        self.fell_behind = 0
        """How often a connection began to owe."""
        self._origins = normalize_allowed_origins(tuple(origins))
        self._cookie = cookie or SessionCookie(is_production=True)
        self._of_member: dict[UUID, set[Connection]] = defaultdict(set)
        self._connections: set[Connection] = set()
        self._owing: set[Connection] = set()
        self._ends_from = NEVER
        """When next to look for sessions that end: to look through all costs some milliseconds."""
        self._admitting: dict[Connection, set[UUID]] = {}
        """Those whose access is being read, and whose has changed since it began."""
        self._work: set[asyncio.Future[None]] = set()

    @property
    def count(self) -> int:
        return len(self._connections)

    @property
    def slow_readers(self) -> int:
        return sum(connection.owes_since is not None for connection in self._owing)

    @asynccontextmanager
    async def serving(self, shared: Context) -> AsyncIterator[None]:
        """Take connections while the body runs."""
        self._shared = shared
        self._changes = AccessChanges(shared.database)
        self._one_at_a_time = asyncio.Lock()
        self._keepalive = Keepalive()
        self.live = Live(shared, show)
        self.presence = shared.presence
        tasks = [
            watched(self._follow_access(), name="hints of access"),
            watched(self._read_access(), name="changes of access"),
            watched(self._look_after(), name="sockets"),
            watched(self._keepalive.run(), name="keepalive"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            # What reads the database is not cancelled: it would leave a connection behind.
            await asyncio.wait([*tasks, *self._work])
            await self.live.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, from the handshake to its end."""
        await receive()
        request = HTTPConnection(scope)
        if not await self._accept(request, send):
            return
        outlet = outlet_of(scope, send)
        if isinstance(outlet, FrameProtocol):
            self._keepalive.add(outlet)
            outlet.count_for(address_of(scope["client"]))
        connection = Connection(self, outlet, send, self._cookie.read(request))
        del request
        scope.clear()  # some kilobytes, which nobody needs as long as the connection lasts
        self._connections.add(connection)
        asyncio.get_running_loop().call_later(INTRODUCE_WITHIN, self._expect, connection)
        code = ABNORMAL_CLOSURE
        try:
            while (event := await receive())["type"] == "websocket.receive":
                await connection.take(event.get("text"))
            code = event.get("code") or code
        except OSError:
            pass  # whoever leaves amid an answer is no fault of ours
        finally:
            connection.leave(code)

    async def _accept(self, request: HTTPConnection, send: Send) -> bool:
        if not self._is_known_origin(request):
            self.note_end(1008, "server")
            await send({"type": "websocket.close", "code": 1008})
            return False
        if PROTOCOL not in request.scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            self.note_end(NO_SUCH_PROTOCOL, "server")
            reason = "Subprotocol not acceptable"
            await send({"type": "websocket.close", "code": NO_SUCH_PROTOCOL, "reason": reason})
            return False
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        return True

    def _expect(self, connection: Connection) -> None:
        """Send away who has not introduced themselves in time."""
        if not connection.is_initialised:
            reason = "Connection initialisation timeout"
            self.wait_for(connection.close(INITIALISATION_TIMEOUT, reason))

    def _is_known_origin(self, request: HTTPConnection) -> bool:
        """A page of another origin would act with the cookies of whoever looks at it."""
        origin = request.headers.get("origin")
        if origin is None or request.headers.get("sec-fetch-site") == "same-origin":
            return True
        if is_same_origin(origin, request.headers.get("host", "")):
            return True
        is_known = "*" in self._origins or normalize_origin(origin) in self._origins
        if not is_known:
            strangers.warning("refused a page from origin", origin=origin)
        return is_known

    # --- What connections ask for

    def new_context(self) -> Context:
        return self._shared.for_operation()

    async def admit(self, connection: Connection, token: str | None) -> Access | None:
        if not token:
            return None
        token_hash = hash_token(token)
        find = partial(self.live.audiences.admit, token_hash)
        access = await self.watch_over(connection, find)
        if access is not None:
            self._shared.sessions.remember(token_hash, access.viewer)
        return access

    async def watch_over(
        self, connection: Connection, find: Callable[[], Awaitable[Access | None]]
    ) -> Access | None:
        """What somebody who is looked for may see, now and whenever it changes."""
        changed = self._admitting[connection] = set()
        try:
            while (access := await find()) is not None:
                member_id = access.viewer.member_id
                if member_id not in changed:
                    connection.member_id = member_id
                    self._of_member[member_id].add(connection)
                    self._watch_end(access.viewer.session_expires_at)
                    return access
                changed.clear()  # what was read may be what was before
            return None
        finally:
            del self._admitting[connection]

    def has_one_too_many(self, connection: Connection) -> bool:
        if connection.member_id is None:
            return False
        of_member = self._of_member[connection.member_id]
        if len(of_member) <= self.members.sockets:
            return False
        of_member.discard(connection)
        return True

    def leave(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._owing.discard(connection)
        member_id = connection.member_id
        if member_id is not None and (others := self._of_member.get(member_id)):
            others.discard(connection)
            if not others:
                del self._of_member[member_id]

    def wait_for(self, work: Awaitable[None]) -> None:
        future = asyncio.ensure_future(unless_gone(work))
        self._work.add(future)
        future.add_done_callback(self._work.discard)

    def owes(self, connection: Connection) -> None:
        # Who takes one state and then no second one is behind all the while.
        self.fell_behind += connection not in self._owing
        self._owing.add(connection)

    def note_end(self, code: int, by: str) -> None:
        self.ended[code, by] += 1

    # --- What changes while they are connected

    async def _follow_access(self) -> None:
        """Look again at the members of whom a hint says that what they may see has changed."""
        with suppress(FeedStopped):
            async with self._shared.feed.join(ACCESS_CHANNEL) as mailbox:
                while True:
                    topics = await mailbox.next()
                    members = {member for topic in topics if (member := member_of_topic(topic))}
                    self.wait_for(self._recheck(members))
                    if GAP in topics:
                        self.wait_for(self._recheck_changed())

    async def _read_access(self) -> None:
        """Look for what no hint told, because the broker was away."""
        while True:
            await next_moment(READ_ACCESS_EVERY)
            self.wait_for(self._recheck_changed())

    async def _recheck_changed(self) -> None:
        with _logged("could not read the changes of access"):  # the next time finds them too
            await self._recheck(await self._changes.read())

    async def _recheck(self, members: Collection[UUID]) -> None:
        """Show these members nothing until it is known what they may see; then go on with that."""
        self._shared.sessions.forget(members)
        of_members = [self._of_member[member] for member in members if member in self._of_member]
        connections = [connection for of_member in of_members for connection in of_member]
        for changed in self._admitting.values():
            changed.update(members)
        held = [(connection, connection.hold()) for connection in connections]
        while held:
            with _logged("could not read the access of members"):
                async with self._one_at_a_time:  # the one that reads later has the last word
                    await self._readmit(held)
                return
            await asyncio.sleep(TRY_AGAIN_AFTER)

    async def _readmit(self, held: Iterable[tuple[Connection, int]]) -> None:
        known = [(one, one.access, hold) for one, hold in held if one.access is not None]
        found = await self.live.audiences.readmit([access for _, access, _ in known])
        for access in found.values():
            self._watch_end(access.viewer.session_expires_at)
        for connection, access, hold in known:
            readmitted = connection.readmit(found.get(access.viewer.session_id), hold)
            await unless_gone(readmitted)

    async def _look_after(self) -> None:
        """Send away who takes nothing; tell who has not much time left, and end it in time."""
        collector = Collector(quiet_looks=COLLECT_AFTER / LOOK_EVERY)
        while True:
            await next_moment(LOOK_EVERY)
            collector.look(self.live.fanout.counters.deliveries)
            self._send_away_the_slow()
            ended = self._tell_of_the_end(datetime.now(UTC))
            if ended:
                self.wait_for(self._recheck(ended))

    def _send_away_the_slow(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in tuple(self._owing):
            if connection.owes_since is None:
                self._owing.discard(connection)
            elif now - connection.owes_since > OWES_AT_MOST:
                self._owing.discard(connection)
                self.wait_for(connection.close(TOO_SLOW, "Too slow a reader"))

    def _tell_of_the_end(self, now: datetime) -> set[UUID]:
        """Give notice of sessions that end soon; the members of those that should have ended."""
        ended: set[UUID] = set()
        if now < self._ends_from:
            return ended
        self._ends_from = NEVER
        for connection in self._connections:
            if connection.access is None:
                continue
            expires_at = connection.access.viewer.session_expires_at
            left = (expires_at - now).total_seconds()
            if left <= 0:
                ended.add(connection.access.viewer.member_id)
            elif left <= NOTICE and connection.told_of_end != expires_at:
                connection.told_of_end = expires_at
                notice = {"type": "ping", "payload": {"sessionEndsIn": round(left)}}
                self.wait_for(connection.tell(notice))
            self._watch_end(expires_at, notice_given=left <= NOTICE)
        return ended

    def _watch_end(self, expires_at: datetime, *, notice_given: bool = False) -> None:
        """Look at all connections when there is something to be told of this session's end."""
        next_at = expires_at if notice_given else expires_at - timedelta(seconds=NOTICE)
        self._ends_from = min(self._ends_from, next_at)


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """A database that is away comes back: whoever needs it tries again."""
    try:
        yield
    except Exception:
        log.warning(what, exc_info=True)
