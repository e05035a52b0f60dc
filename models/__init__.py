"""Tables and constraints. Importing this package registers every table on `Base.metadata`."""

from models import access_changes as access_changes
from models import accounts as accounts
from models import demo_mark as demo_mark
from models import meetings as meetings
from models import rule_sets as rule_sets
from models import units as units
from models import votes as votes
from models.base import Base as Base
