"""Tables and constraints. Importing this package registers every table on `Base.metadata`."""

from models import demo_mark as demo_mark
from models.accounts import access_changes as access_changes
from models.accounts import accounts as accounts
from models.base import Base as Base
from models.meetings import meetings as meetings
from models.register import rule_sets as rule_sets
from models.register import units as units
from models.votes import votes as votes
