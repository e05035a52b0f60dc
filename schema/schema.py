"""The one schema, and what wraps its operations."""

from collections.abc import Callable

import strawberry
from graphql import GraphQLError
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache
from strawberry.types import ExecutionContext

from schema.execution import Execution
from schema.mutation import Mutation
from schema.operation import MaskFaults, OneOperation
from schema.query import Query
from schema.refusal import RefusalHandler
from schema.subscription import Subscription


class Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Nothing here: `MaskFaults` logs the faults; refusals and bad documents are no faults."""


EXTENSIONS: list[type[SchemaExtension] | Callable[[], SchemaExtension]] = [
    MaskFaults,
    OneOperation,
    lambda: ParserCache(maxsize=500),
    lambda: ValidationCache(maxsize=500),
]
"""What wraps every operation, outermost first."""

schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    exception_handlers=[RefusalHandler()],
    execution_context_class=Execution,
    extensions=EXTENSIONS,
)
