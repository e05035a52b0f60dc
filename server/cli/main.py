"""The command `branch-meetings`: its commands, in the order of its help.

Their modules are imported whatever is asked, so what costs (SQLAlchemy, GraphQL, the application)
is imported by the function that needs it.
"""

import typer

from server.cli.common import fail
from server.cli.database import migrate, reset
from server.cli.demo import crowd, tokens
from server.cli.printing import schema, show_settings
from server.cli.records import export_one, print_heads, recount, verify
from server.cli.serving import run, serve
from server.settings import SettingsError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(run)
app.command()(serve)
app.command()(reset)
app.command()(migrate)
app.command()(schema)
app.command()(recount)
app.command()(verify)
app.command("heads")(print_heads)
app.command("settings")(show_settings)

demo = typer.Typer(no_args_is_help=True, help="The demo organisation.")
demo.command()(tokens)
demo.command()(crowd)
app.add_typer(demo, name="demo")

export = typer.Typer(no_args_is_help=True, help="What can be checked elsewhere.")
export.command("vote")(export_one)
app.add_typer(export, name="export")


def main() -> None:
    """What an operator can put right is one line; anything else is a traceback."""
    try:
        app()
    except SettingsError as error:
        fail(str(error))
