"""How one operation is executed: as Strawberry does it, leaving nothing behind."""

from typing import Any

from graphql import GraphQLObjectType
from graphql.execution.collect_fields import CollectedFields, FieldDetails, collect_subfields
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

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_details_list: list[FieldDetails]
    ) -> CollectedFields:
        """What is selected below these fields: found once for all events of a subscription.

        graphql-core keeps it by lists that each event makes anew, and so neither finds it again nor
        ever lets go of it. The nodes are the document's, and last as long as the executions.
        """
        kept: dict[Any, tuple[Any, CollectedFields]] = self._relevant_sub_fields
        key = (return_type, tuple([id(details.node) for details in field_details_list]))
        if key not in kept:
            found = collect_subfields(
                self.schema,
                self.fragments,
                self.variable_values,
                self.operation,
                return_type,
                field_details_list,
                self.hide_suggestions,
            )
            kept[key] = field_details_list, found
        return kept[key][1]
