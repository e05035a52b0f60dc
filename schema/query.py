"""What can be asked. Each field unpacks, calls one resolver, wraps.

The fields are in the rooms of their subjects, and are printed in the order of the bases.
"""

import strawberry

from schema.accounts.queries import AccountQueries
from schema.meetings.queries import MeetingQueries
from schema.register.queries import RegisterQueries
from schema.votes.queries import VoteQueries


@strawberry.type
class Query(AccountQueries, RegisterQueries, MeetingQueries, VoteQueries):
    pass
