"""Where the viewer is signed in."""

from datetime import datetime
from typing import Self

import strawberry

from resolvers.accounts.own_sessions import OwnSession


@strawberry.type(description="A sign-in of the viewer's that is still good.")
class Session:
    id: strawberry.ID = strawberry.field(description="What `endSession` takes.")
    created_at: datetime = strawberry.field(description="When the viewer signed in.")
    expires_at: datetime = strawberry.field(description="When it ends, unless it is refreshed.")
    device: str | None = strawberry.field(
        description="In a few words, such as `Chrome, Android`; null where it did not say."
    )
    is_current: bool = strawberry.field(description="Whether it is the one that asks.")

    @classmethod
    def of(cls, value: OwnSession) -> Self:
        return cls(
            id=strawberry.ID(str(value.id)),
            created_at=value.created_at,
            expires_at=value.expires_at,
            device=value.device,
            is_current=value.is_current,
        )


@strawberry.type(description="Sessions that have ended; their sockets are closed.")
class EndedSessions:
    ids: list[strawberry.ID] = strawberry.field(description="Of those that have ended now.")
