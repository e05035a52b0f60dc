"""What the schema says of its fields for the sake of subscriptions."""

import strawberry
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="Depends on the viewer. A subscription that selects such a field is run for each"
    " subscriber alone; all others are run once for all who may see the same.",
)
class Personal:
    pass


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="Changes with every ballot or arrival. A subscription that selects no such field"
    " is not run again for those.",
)
class Counted:
    pass
