"""What the code says of itself: the GraphQL schema, and every setting."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from server.cli.common import console, fail
from server.settings import OPEN, Settings, read_settings, variable_name

SCHEMA_FILE = Path(__file__).parent.parent.parent / "schema" / "schema.graphql"


def schema(
    check: Annotated[
        bool, typer.Option(help="Only tell whether the printed file is true.")
    ] = False,
) -> None:
    """Print the GraphQL schema to schema/schema.graphql."""
    from schema.schema import schema as graphql_schema

    printed = graphql_schema.as_str() + "\n"
    if not check:
        SCHEMA_FILE.write_text(printed, encoding="utf-8")
    elif SCHEMA_FILE.read_text(encoding="utf-8") != printed:
        fail("schema/schema.graphql is not what the code says; run: make schema")


def show_settings() -> None:
    """Every setting with its value, unit and meaning."""
    from rich.table import Table

    settings = read_settings()
    table = Table("Variable", "Value", "Unit", "Meaning")
    for setting in fields(Settings):
        table.add_row(
            variable_name(setting.name),
            shown_setting(setting.name, getattr(settings, setting.name)),
            setting.metadata["unit"],
            setting.metadata["meaning"],
        )
    console.print(table)


def shown_setting(name: str, value: object) -> str:
    """A setting's value without what must not end up in a terminal's history."""
    if name == "secret" or (name == "metrics" and value not in ("", OPEN)):
        return "…"
    if name.endswith("_url"):
        return without_password(str(value))
    return str(getattr(value, "value", value))


def without_password(url: str) -> str:
    """The URL with `***` for its password, and nothing of what is no URL."""
    if "://" not in url:
        return "…"
    return re.sub(r"^([^:]*://[^:/]*):.*@", r"\1:***@", url, flags=re.DOTALL)
