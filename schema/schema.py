"""The one schema, and what wraps its operations."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.types import ExecutionContext, ExecutionResult

from schema.execution import Execution
from schema.mutation import Mutation
from schema.operation import Operation, mask_faults
from schema.query import Query
from schema.refusal import RefusalHandler
from schema.subscription import Subscription


class Schema(strawberry.Schema):
    async def execute(self, *args: Any, **kwargs: Any) -> ExecutionResult:
        result = await super().execute(*args, **kwargs)
        mask_faults(result)
        return result

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Nothing here: `mask_faults` logs the faults; refusals and bad documents are no faults."""


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    exception_handlers=[RefusalHandler()],
    execution_context_class=Execution,
    extensions=[Operation],
)
