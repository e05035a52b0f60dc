"""How one operation is executed: as Strawberry does it, leaving nothing for the collector."""

from graphql.type import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class Execution(StrawberryGraphQLCoreExecutionContext):
    """An execution that does not refer to itself, and so ends with its result.

    graphql-core keeps two methods of the execution in the execution. Only the garbage collector
    finds such a circle, some fifty objects for each operation.
    """

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        """What fields may use while they wait: made for each of them."""
        return GraphQLResolveInfoHelpers(self.gather_async_work, self.track_async_work)

    @async_helpers.setter
    def async_helpers(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, kept: GraphQLResolveInfoHelpers
    ) -> None:
        """Not kept."""
