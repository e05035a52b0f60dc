"""What happens in the meetings of a subtree, in figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import strawberry

from resolvers.votes.units_live import UnitTurnout as Turnout
from schema.live.marks import Counted
from schema.register.unit import Unit

SMALL = "Null where it would tell of few people."


@strawberry.type(description="How many meetings of the day are in each state.")
class MeetingsByState:
    scheduled: int = strawberry.field(
        description="Summoned, to begin within twelve hours; or they should have begun.",
        directives=[Counted()],
    )
    in_session: int = strawberry.field(directives=[Counted()])
    paused: int = strawberry.field(directives=[Counted()])
    closed: int = strawberry.field(
        description="Within the last twelve hours.", directives=[Counted()]
    )


@strawberry.interface(
    description="A unit and what happens in its meetings and in those of all units below it."
    " People are counted in meetings that run: in session or paused. Figures about fewer than five"
    " are not shown, nor others from which they could be worked out."
)
class UnitTurnout:
    value: strawberry.Private[Turnout]

    @strawberry.field
    def unit(self) -> Unit:
        return Unit(row=self.value.unit, sees_subtree=True)

    @strawberry.field(directives=[Counted()])
    def meetings(self) -> MeetingsByState:
        figures = self.value.figures
        return MeetingsByState(
            scheduled=figures.scheduled,
            in_session=figures.in_session,
            paused=figures.paused,
            closed=figures.closed,
        )

    @strawberry.field(directives=[Counted()])
    def open_votes(self) -> int:
        return self.value.figures.open_votes

    @strawberry.field(description=SMALL, directives=[Counted()])
    def summoned(self) -> int | None:
        return self.value.shown("summoned")

    @strawberry.field(description=SMALL, directives=[Counted()])
    def present(self) -> int | None:
        return self.value.shown("present")

    @strawberry.field(description=f"Seen in the room by the chair. {SMALL}", directives=[Counted()])
    def confirmed(self) -> int | None:
        return self.value.shown("confirmed")

    @strawberry.field(
        description=f"With a page open that shows the meeting; a hint. {SMALL}",
        directives=[Counted()],
    )
    def connected(self) -> int | None:
        return self.value.shown("connected")


@strawberry.type(description="The figures of a unit as one below another.")
class UnitBelow(UnitTurnout):
    pass


@strawberry.type(description="A unit's figures with those of each unit directly below it.")
class UnitLive(UnitTurnout):
    below: strawberry.Private[Sequence[Turnout]]

    @classmethod
    def of(cls, value: Turnout, below: Sequence[Turnout]) -> Self:
        return cls(value=value, below=below)

    @strawberry.field
    def children(self) -> list[UnitBelow]:
        return [UnitBelow(value=one) for one in self.below]
