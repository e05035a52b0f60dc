"""The one schema, and what wraps its operations."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.types import ExecutionContext, ExecutionResult

from schema.live.documents import Asker, BadDocument, Document, Documents, does_not_fit
from schema.live.execution import Execution
from schema.live.extension import ASKER, DOCUMENT, Operation, mask_faults
from schema.mutation import Mutation
from schema.query import Query
from schema.refusal import RefusalHandler
from schema.subscription import Subscription


class Schema(strawberry.Schema):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.documents = Documents(self._schema)

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        *args: Any,
        asker: Asker = Asker.DEVELOPER,
        charge: Callable[[Document, str | None], Awaitable[None]] | None = None,
        **options: Any,
    ) -> ExecutionResult:
        """Execute an operation of a document, if the one who asks may send such, and `charge` them
        for it first: what that raises is raised.

        Raises what Strawberry raises where there is no such operation.
        """
        if not query:
            raise MissingQueryError
        try:
            document = self.documents.read(query, asker)
            self.documents.check_cost(document, variable_values)
        except BadDocument as bad:
            return ExecutionResult(None, bad.errors)
        if charge is not None:
            await charge(document, options.get("operation_name"))
        options["operation_extensions"] = {DOCUMENT: document, ASKER: asker}
        result = await super().execute(query, variable_values, *args, **options)
        mask_faults(result)
        if asker is Asker.STRANGER and _was_not_run(result):
            return ExecutionResult(None, [does_not_fit()])
        return result

    def _get_custom_context_kwargs(
        self, operation_extensions: dict[str, Any] | None = None, *, sync: bool = False
    ) -> dict[str, Any]:
        found = super()._get_custom_context_kwargs(operation_extensions, sync=sync)
        is_hidden = (operation_extensions or {}).get(ASKER) is not Asker.DEVELOPER
        return {**found, "hide_suggestions": is_hidden}

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Nothing here: `mask_faults` logs the faults; refusals and bad documents are no faults."""


def _was_not_run(result: ExecutionResult) -> bool:
    """Whether the variables were turned down: such errors belong to no field."""
    return result.data is None and all(error.path is None for error in result.errors or ())


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    exception_handlers=[RefusalHandler()],
    execution_context_class=Execution,
    extensions=[Operation],
)
