"""Who asks, and what they may reach: one `Context` for each GraphQL operation."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from models.database import Database, ReadSession, WriteSession
from models.driver.hot_statements import Fetch
from resolvers.access.clients import Client, UnknownClient
from resolvers.access.logins import Viewer as Viewer
from resolvers.loading import Loaders, SubjectLoaders
from resolvers.process import Kind, Process
from rules.permissions import Act, Audience, Place
from rules.refusals import Reason, Refusal


@dataclass
class Transaction:
    """A write in progress. What is announced is published after the commit, never before."""

    session: WriteSession
    look: Fetch
    """Reads what is committed, beside the transaction and before it begins: nothing is held."""
    announcements: dict[str, set[str]] = field(default_factory=dict)

    def announce(self, channel: str, topic: str) -> None:
        self.announcements.setdefault(channel, set()).add(topic)


class Snapshot:
    """One moment of the database: everything that one result reads, with its loaders.

    A result is a query's, or one push of a subscription; what is kept here lives no longer.
    """

    def __init__(self, database: Database) -> None:
        self.place: Place | None = None
        self._database = database
        self._session: ReadSession | None = None
        self._one_at_a_time = asyncio.Lock()
        self._is_released = False
        self._loaders: dict[type[Loaders], Any] = {}

    def loaders(self, kind: type[SubjectLoaders]) -> SubjectLoaders:
        """A subject's loaders, such as `VoteLoaders`: what was loaded once is not read again."""
        loaders: SubjectLoaders | None = self._loaders.get(kind)
        if loaders is None:
            loaders = self._loaders[kind] = kind(self)
        return loaders

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        """The session, for one statement at a time: sibling fields run concurrently."""
        async with self._one_at_a_time:
            if self._is_released:
                # A field that outlived its result, because a sibling failed: nobody waits for it.
                raise asyncio.CancelledError
            if self._session is None:
                self._session = await self._database.begin_snapshot()
            yield self._session

    def drop(self) -> bool:
        """Let go of it at once if nothing was read from it, so that there is nothing to wait for.
        False if something was, or is about to be."""
        if self._session is not None or self._one_at_a_time.locked():
            return False
        self._end()
        return True

    async def release(self) -> None:
        """Give the connection back, after the statement under way if there is one."""
        async with self._one_at_a_time:
            self._end()
            if self._session is not None:
                await self._session.close()

    def _end(self) -> None:
        self._is_released = True
        for loaders in self._loaders.values():
            loaders.let_go()
        self._loaders.clear()


class Viewpoint:
    """An audience while a state is taken for it, and what was asked about it meanwhile.

    What is shown depends on the answers and on nothing else of the audience, so the state is that
    of every other audience that would have been answered the same.
    """

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._answers: dict[tuple[Act, UUID], bool] = {}

    @property
    def member_id(self) -> UUID | None:
        """Where something personal is shown; such states are nobody else's."""
        return self._audience.member_id

    def may(self, act: Act, unit_id: UUID) -> bool:
        answer = self._answers[act, unit_id] = self._audience.may(act, unit_id)
        return answer

    def stands_for(self, other: Audience) -> bool:
        """Whether the other, of the same member or of none, would have been shown the same."""
        return all(other.may(*question) is answer for question, answer in self._answers.items())


class Context:
    """What resolvers work with, one for each operation: reads from a snapshot, writes in a
    transaction, and finds what all operations of the process share.

    On behalf of a viewer, or from a viewpoint: then there is nobody to ask who they are, and the
    audience says what may be seen.
    """

    def __init__(
        self,
        process: Process,
        viewer: Viewer | None = None,
        *,
        viewpoint: Viewpoint | None = None,
        snapshot: Snapshot | None = None,
    ) -> None:
        self.process = process
        self.database = process.database
        self.feed = process.feed
        self.credentials = process.credentials
        self.sessions = process.sessions
        self.presence = process.presence
        self.viewer = viewer
        self.viewpoint = viewpoint
        self.snapshot = snapshot or Snapshot(process.database)
        self.client: Client = UnknownClient()

    def service(self, kind: type[Kind]) -> Kind:
        """The process's only one of a kind, such as `Casting`."""
        return self.process.service(kind)

    def loaders(self, kind: type[SubjectLoaders]) -> SubjectLoaders:
        """Those of the snapshot, of one subject."""
        return self.snapshot.loaders(kind)

    def for_operation(self) -> "Context":
        """A context of its own for one more operation of the same viewer."""
        context = Context(self.process, self.viewer)
        context.client = self.client
        return context

    def for_viewpoint(self, viewpoint: Viewpoint, snapshot: Snapshot) -> "Context":
        """A context for one execution of a subscription; several may share a snapshot."""
        return Context(self.process, viewpoint=viewpoint, snapshot=snapshot)

    def viewer_id(self) -> UUID:
        """The member for whom fields that depend on the viewer are. Raises NOT_SIGNED_IN."""
        if self.viewpoint is not None and self.viewpoint.member_id is not None:
            return self.viewpoint.member_id
        return self.signed_in().member_id

    def signed_in(self) -> Viewer:
        """The viewer. Raises NOT_SIGNED_IN."""
        if self.viewer is None:
            raise Refusal(Reason.NOT_SIGNED_IN, "Sign in first.")
        return self.viewer

    def reading(self) -> AbstractAsyncContextManager[ReadSession]:
        """The session of the snapshot, for one statement at a time."""
        return self.snapshot.reading()

    async def release(self) -> None:
        """Let go of the snapshot; what is read next is of a later moment."""
        snapshot, self.snapshot = self.snapshot, Snapshot(self.database)
        if not snapshot.drop():
            await finish(snapshot.release())

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One mutation's transaction: commits at the end of the body, then publishes.

        A failed publish does not undo anything. Once the commit has begun, a cancelled caller
        (a member who closes the page) cancels neither the commit nor what follows it.
        """
        # An operation that waits for a connection holds none: enough of them would wait for ever.
        await self.release()
        transaction = Transaction(self.database.writing(), self.database.look)
        try:
            yield transaction
        except BaseException:
            await finish(transaction.session.close())
            raise
        await finish(self._commit(transaction))
        await self.release()

    async def _commit(self, transaction: Transaction) -> None:
        try:
            await transaction.session.commit()
        finally:
            await transaction.session.close()
        self.process.note(transaction.announcements.items())
        await self.feed.publish_all(transaction.announcements)


async def finish(work: Coroutine[Any, Any, None]) -> None:
    """Await `work` to its end even when the caller is cancelled; then pass the cancellation on."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
