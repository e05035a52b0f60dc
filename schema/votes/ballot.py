"""The viewer's own ballot: what says that it is recorded."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.votes.ballot_box import CastBallot


@strawberry.type(description="The server's word that a ballot is recorded.")
class Receipt:
    ballot: strawberry.Private[CastBallot]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.ballot.id))

    @strawberry.field
    def vote_id(self) -> strawberry.ID:
        return strawberry.ID(str(self.ballot.vote_id))

    @strawberry.field(description="The key that the ballot was cast with.")
    def key(self) -> strawberry.ID:
        return strawberry.ID(self.ballot.key)

    @strawberry.field(description="The marks that count; null in a vote that is not OPEN.")
    def choices(self) -> list[strawberry.ID] | None:
        if self.ballot.choices is None:
            return None
        return [strawberry.ID(str(choice)) for choice in self.ballot.choices]

    @strawberry.field(description="By the database's clock.")
    def cast_at(self) -> datetime:
        return self.ballot.cast_at

    @strawberry.field(
        description="Finds the ballot in the record of the closed vote; null in a vote that is not"
        " OPEN, where nothing leads to the paper."
    )
    def tracker(self) -> str | None:
        return None if self.ballot.choices is None else tracker_of(str(self.ballot.id))


def tracker_of(ballot_id: str) -> str:
    """Twelve characters that a voter can compare by eye."""
    return ballot_id.replace("-", "")[-12:].upper()
