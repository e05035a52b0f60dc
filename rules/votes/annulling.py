"""Who agrees to annul a hidden result, so that nobody can try again until they like it."""

from collections.abc import Collection
from uuid import UUID

from rules.refusals import Reason, Refusal


def check_second_officer(confirmer: UUID, proposer: UUID, officers: Collection[UUID]) -> None:
    """Another officer of the branch confirms; where it has no other, one of a unit above.

    `officers` are those of the branch who are not suspended. The caller has made sure that the
    confirmer is an officer of the branch or of a unit above. Raises SECOND_OFFICER_NEEDED.
    """
    others = set(officers) - {proposer}
    if confirmer == proposer or (others and confirmer not in others):
        who = "Another officer of the branch" if others else "An officer of a unit above"
        raise Refusal(Reason.SECOND_OFFICER_NEEDED, f"{who} confirms this.")
