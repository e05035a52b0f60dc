"""Tables and constraints. Importing this package registers every table on `Base.metadata`."""

# By their full names: `from models.votes import votes` would put that module where the package
# `models.votes` is looked for.
import models.accounts.access_changes
import models.accounts.accounts
import models.demo_mark
import models.meetings.meetings
import models.register.rule_sets
import models.register.units
import models.votes.votes  # noqa: F401 - it says so for them all
from models.base import Base as Base
