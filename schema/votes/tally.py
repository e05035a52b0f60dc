"""What is counted of a vote, before its result and after."""

from __future__ import annotations

import strawberry


@strawberry.type
class OptionCount:
    option_id: strawberry.ID
    count: int | None = strawberry.field(
        description="Ballots, papers and hands, by weight; null while nobody may see it."
    )


@strawberry.type(description="Counted from the ballots for this very answer.")
class Tally:
    cast: int = strawberry.field(description="Members who have voted, counted hands included.")
    eligible: int = strawberry.field(
        description="Entitled members on the roll; 0 until the vote opens and the roll is frozen."
    )
    by_hand: int = strawberry.field(
        description="Of those who voted, the hands counted in the room."
    )
    blanks: int | None
    invalid: int | None
    options: list[OptionCount]
