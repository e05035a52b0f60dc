"""What surrounds every operation: its document, its context, and what is told of faults."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import strawberry
import structlog
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types import StreamExecutionResult

from resolvers.context import Context
from rules.refusals import Refusal
from schema.live.documents import Document

Info = strawberry.Info[Context, None]

NO_FAULTS = (Refusal, GraphQLError, MissingQueryError, CannotGetOperationTypeError)

log = structlog.get_logger(__name__)


DOCUMENT = "document"
"""Among the extensions of an operation: the `Document` that its text was read to."""
ASKER = "asker"
"""And on whose behalf."""


class Operation(SchemaExtension):
    """All that surrounds an operation: a document that was read beforehand, a context of its own,
    and a snapshot for each result.

    The snapshot goes before the result is sent: a slow reader holds no connection of the database.
    It is one extension, because each one more costs every request its hooks.
    """

    async def on_operation(self) -> AsyncIterator[None]:
        shared: Context = self.execution_context.context
        context = shared.for_operation()
        self.execution_context.context = context
        try:
            yield
        finally:
            await context.release()

    def on_parse(self) -> Iterator[None]:
        if document := self._document():
            self.execution_context.graphql_document = document.node
        yield

    def on_validate(self) -> Iterator[None]:
        if self._document():
            self.execution_context.pre_execution_errors = []
        yield

    def _document(self) -> Document | None:
        """What is served was read before; `Schema.stream`, which tests call, reads for itself."""
        return (self.execution_context.operation_extensions or {}).get(DOCUMENT)

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
