"""Whether a document is valid, as graphql-core finds it out, leaving nothing behind."""

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    ParallelVisitor,
    TypeInfo,
    TypeInfoVisitor,
    ValidationContext,
    specified_rules,
    visit,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError, query_document_keys_to_validate

MOST_ERRORS = 5

# After how many comparisons of fields the validation is given up. What `limits.py` lets pass needs
# a tenth of these.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 20_000


def errors_of(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """What makes a document invalid; after some errors the rest is not looked for.

    graphql-core's `validate` leaves each of its rules in a circle, with the document and what was
    found out about it: a thousand bytes a token, for the garbage collector.
    """
    errors: list[GraphQLError] = []

    def note(error: GraphQLError) -> None:
        errors.append(error)
        if len(errors) == MOST_ERRORS:
            raise ValidationAbortedError("enough")

    type_info = TypeInfo(schema)
    context = ValidationContext(schema, document, type_info, note)
    rules = [rule(context) for rule in specified_rules]
    together = ParallelVisitor(rules)
    visitor = TypeInfoVisitor(type_info, together)
    try:
        visit(document, visitor, query_document_keys_to_validate)
    except ValidationAbortedError as aborted:
        if not errors:  # by a rule that takes too long
            errors.append(aborted.with_traceback(None))
    except RecursionError:
        errors.append(GraphQLError("The document is nested too deeply."))
    finally:
        for one in (*rules, together, visitor, context):
            vars(one).clear()
    return errors
