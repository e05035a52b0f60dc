"""Who is signed in."""

import strawberry

from resolvers.access.permit import read_viewer
from schema.live.extension import Info
from schema.register.member import Viewer


@strawberry.type
class AccountQueries:
    @strawberry.field(description="Null when nobody is signed in.")
    async def viewer(self, info: Info) -> Viewer | None:
        value = await read_viewer(info.context)
        return Viewer(value=value) if value else None
