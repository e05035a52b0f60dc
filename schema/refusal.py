"""How an expected "no" looks in GraphQL."""

import strawberry
from strawberry.scalars import JSON

from rules.refusals import Reason, Refusal
from schema.live.extension import Info

strawberry.enum(Reason, description="Why something was refused. A closed list; clients translate.")


@strawberry.type(description="An expected no: nothing was changed.")
class Refused:
    reason: Reason
    message: str = strawberry.field(description="English, for developers.")
    details: JSON = strawberry.field(description="Figures that belong to the reason.")


class RefusalHandler(strawberry.ExceptionHandler[Refusal, Refused]):
    """Turns a refusal into `Refused` wherever a field's union has it."""

    def handle(self, exception: Refusal, *, field: object, info: Info) -> Refused:
        return Refused(
            reason=exception.reason,
            message=exception.message,
            details=JSON(exception.details),
        )
