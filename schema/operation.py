"""What surrounds every operation: its context, its limits, and what is told of faults."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import strawberry
import structlog
from graphql import GraphQLError
from graphql.validation import ASTValidationRule
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.extensions.max_aliases import create_validator as alias_rule
from strawberry.extensions.query_depth_limiter import create_validator as depth_rule
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types import StreamExecutionResult

from resolvers.context import Context
from rules.refusals import Refusal

Info = strawberry.Info[Context, None]

MAXIMUM_DEPTH = 8
MAXIMUM_ALIASES = 15
MAXIMUM_TOKENS = 1_000

DOCUMENTS_KEPT = 500

# Made once: a rule class of its own for every request would never hit the validation cache.
LIMITS: list[type[ASTValidationRule]] = [
    depth_rule(MAXIMUM_DEPTH, None),
    alias_rule(MAXIMUM_ALIASES),
]

NO_FAULTS = (Refusal, GraphQLError, MissingQueryError, CannotGetOperationTypeError)

log = structlog.get_logger(__name__)


class Operation(ParserCache, ValidationCache):
    """All that surrounds an operation: limits, documents that are known already, a context of its
    own, and a snapshot for each result.

    The snapshot goes before the result is sent: a slow reader holds no connection of the database.
    It is one extension, because each one more costs every request its hooks.
    """

    def __init__(self) -> None:
        ParserCache.__init__(self, DOCUMENTS_KEPT)  # which gives the other one its default
        ValidationCache.__init__(self, DOCUMENTS_KEPT)

    async def on_operation(self) -> AsyncIterator[None]:
        self.execution_context.parse_options["max_tokens"] = MAXIMUM_TOKENS
        self.execution_context.validation_rules += tuple(LIMITS)
        shared: Context = self.execution_context.context
        context = shared.for_operation()
        self.execution_context.context = context
        try:
            yield
        finally:
            await context.release()

    async def on_stream_result(self, result: StreamExecutionResult) -> AsyncIterator[None]:
        await self.execution_context.context.release()
        mask_faults(result)
        yield


def mask_faults(result: Any) -> None:
    """Refusals and mistakes in the document pass; anything else, failures of an extension included,
    becomes a number to quote."""
    if errors := getattr(result, "errors", None):
        result.errors = list(map(masked, errors))


def masked(error: GraphQLError) -> GraphQLError:
    """The error as the asker may read it; a fault is logged, and its number told."""
    if not is_fault(error):
        return error
    correlation_id = uuid4().hex
    log.error(
        "operation failed",
        correlation_id=correlation_id,
        path=error.path,
        exc_info=error.original_error,
    )
    return GraphQLError(
        "Something went wrong on our side.",
        nodes=error.nodes,
        path=error.path,
        extensions={"correlationId": correlation_id},
    )


def is_fault(error: GraphQLError) -> bool:
    """Whether an error is ours, and so says nothing that the asker should read."""
    return error.original_error is not None and not isinstance(error.original_error, NO_FAULTS)
