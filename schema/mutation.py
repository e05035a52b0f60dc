"""What can be done. Each field unpacks, calls one resolver, wraps; a refusal becomes `Refused`.

The fields are in the rooms of their subjects, and are printed in the order of the bases.
"""

import strawberry

from schema.accounts.mutations import AccountMutations
from schema.meetings.mutations import MeetingMutations
from schema.register.mutations import RegisterMutations
from schema.votes.mutations import VoteMutations


@strawberry.type
class Mutation(AccountMutations, RegisterMutations, MeetingMutations, VoteMutations):
    pass
