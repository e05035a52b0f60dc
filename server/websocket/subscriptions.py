"""A subscription of one connection: where it joins the fan-out, and how it leaves."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from realtime.presence import Presence
from schema.live.prepare import LiveOperation
from schema.live.run import Errors, LiveGroup, Plan
from server.limits.members import MemberLimits
from server.websocket.host import ConnectionHost

if TYPE_CHECKING:
    from server.websocket.protocol import Connection


class LiveSubscription:
    """A subscription of one connection, as the fan-out knows it."""

    __slots__ = (
        "_connection",
        "_followed",
        "_key",
        "_seen_in",
        "group",
        "head",
        "id",
        "operation",
        "outlet",
        "variables",
    )

    def __init__(
        self,
        connection: "Connection",
        operation_id: str,
        operation: LiveOperation,
        variables: dict[str, Any],
    ) -> None:
        self.id = operation_id
        self.operation = operation
        self.variables = variables
        self.group: LiveGroup | None = None
        self.outlet = connection.outlet
        self.head = b'{"id":' + orjson.dumps(operation_id) + b',"type":"next","payload":'
        self._connection = connection
        self._followed: tuple[MemberLimits, UUID] | None = None
        self._seen_in: tuple[Presence, UUID, UUID] | None = None

    def join(self, host: ConnectionHost, plan: Plan, member_id: UUID) -> None:
        """Be where those are who see the same, and among those who are there. Raises
        TOO_MANY_REQUESTS."""
        self.leave()
        host.members.follow(member_id, plan.key)
        self._followed = host.members, member_id
        self._key = plan.key
        meeting_id = plan.followed.meeting_id
        if meeting_id is not None:
            self._seen_in = (host.presence, meeting_id, member_id)
            host.presence.enter(meeting_id, member_id)
        self.group = host.live.join(plan, self, member_id)

    def owe(self) -> None:
        self._connection.owe(self)

    def end(self, error: Errors) -> None:
        self.group = None  # which it has left already
        self.leave()
        self._connection.fail(self.id, error)

    def leave(self) -> None:
        group, self.group = self.group, None
        if group is not None:
            group.leave(self)
        if self._followed is not None:
            members, member_id = self._followed
            self._followed = None
            members.unfollow(member_id, self._key)
        if self._seen_in is not None:
            presence, meeting_id, member_id = self._seen_in
            self._seen_in = None
            presence.leave(meeting_id, member_id)
