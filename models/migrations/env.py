"""Alembic's entry: runs on the connection that `models.migrate` hands over."""

from typing import Any, Literal

from alembic import context

from models import Base
from models.base import Instant

connection = context.config.attributes["connection"]


def render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Migrations name plain column types, so that they outlive our classes."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_item=render_item,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
