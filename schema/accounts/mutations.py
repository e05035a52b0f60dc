"""Signing in, and the viewer's own sessions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from resolvers.accounts import own_sessions
from resolvers.accounts import sign_in as accounts
from schema.accounts.session import EndedSessions
from schema.live.extension import Info
from schema.refusal import Refused
from schema.register.member import Viewer


@strawberry.type(description="A new session.")
class SignedIn:
    token: str = strawberry.field(
        description="Opaque and told once: send it as `Authorization: Bearer`, and as"
        ' `{"token": …}` in `connection_init`.'
    )
    expires_at: datetime
    viewer: Viewer


EndSessionsResult = Annotated[EndedSessions | Refused, strawberry.union("EndSessionsResult")]
SignInResult = Annotated[SignedIn | Refused, strawberry.union("SignInResult")]


def ended_sessions(ids: list[UUID]) -> EndedSessions:
    return EndedSessions(ids=[strawberry.ID(str(one)) for one in ids])


@strawberry.type
class AccountMutations:
    @strawberry.mutation(description="Uses an activation code, once.")
    async def sign_in(self, info: Info, code: str) -> SignInResult:
        value = await accounts.sign_in(info.context, code)
        viewer = Viewer(value=info.context.signed_in())
        return SignedIn(token=value.token, expires_at=value.expires_at, viewer=viewer)

    @strawberry.mutation(description="Ends the viewer's session.")
    async def sign_out(self, info: Info) -> bool:
        await accounts.sign_out(info.context)
        return True

    @strawberry.mutation(
        description="Ends one of the viewer's sessions; its sockets are closed at once."
    )
    async def end_session(self, info: Info, session_id: strawberry.ID) -> EndSessionsResult:
        return ended_sessions(await own_sessions.end_session(info.context, session_id))

    @strawberry.mutation(description="Ends all of the viewer's sessions but the one that asks.")
    async def end_other_sessions(self, info: Info) -> EndSessionsResult:
        return ended_sessions(await own_sessions.end_other_sessions(info.context))

    @strawberry.mutation(description="Ends all of the viewer's sessions: signs out everywhere.")
    async def end_all_sessions(self, info: Info) -> EndSessionsResult:
        return ended_sessions(await own_sessions.end_all_sessions(info.context))

    @strawberry.mutation(
        description="Gives the viewer's session its full lifetime from now, within a maximum since"
        " signing in; sockets of the session stay open as long."
    )
    async def refresh_session(self, info: Info) -> Viewer:
        return Viewer(value=await accounts.refresh_session(info.context))
