"""The votes' records: print what can be checked elsewhere, and check it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from rules.refusals import Refusal
from rules.votes.explain.sentences import Language, explain
from rules.votes.record.recount import Withheld, problems, withheld_of
from rules.votes.record.recount import recount as recount_export
from rules.votes.record.verify import check_heads, missing_heads, verify_record
from server.cli.common import console, fail, with_database
from server.settings import read_settings

if TYPE_CHECKING:
    from models.database import Database


def export_one(vote_id: str) -> None:
    """Print a vote that has ended, with all that its outcome rests on, as JSON."""
    data = with_database(read_settings(), lambda database: read_export(database, vote_id))
    print(json.dumps(data, ensure_ascii=False, indent=2))  # noqa: T201


def recount(file: typer.FileText) -> None:
    """Count an exported vote again; tell the outcome, or what is wrong (then exit 1)."""
    try:
        data = json.load(file)
        found = list(problems(data))
        told = tell_outcome(data)
    except (ValueError, KeyError, TypeError, Refusal) as error:
        fail(f"{file.name} is not an export of a vote: {error!r}")
    console.print(told, soft_wrap=True, highlight=False)
    tell_problems((data["vote"], one) for one in found)


def tell_outcome(data: dict[str, Any]) -> str:
    if withheld_of(data) is Withheld.NOT_PUBLISHED:
        return "The result was not published; nobody is shown its figures."
    labels = {UUID(option["id"]): option["label"] for option in data["options"]}
    return explain(recount_export(data), Language.EN, labels)


def verify(
    heads: Annotated[
        typer.FileText | None,
        typer.Option(help="Heads that were kept elsewhere, as `heads` prints them."),
    ] = None,
) -> None:
    """Check every vote against its audit chain, and recount those that have ended (exit 1 if one
    fails). Only kept heads find a chain that was computed anew."""
    kept = read_heads(heads) if heads else []
    verified = with_database(read_settings(), lambda database: verify_votes(database, kept))
    for vote, sentence in verified.untold:
        console.print(f"vote {vote}: {sentence}.", soft_wrap=True, highlight=False)
    tell_problems(verified.problems)
    console.print(
        f"{verified.votes} votes checked, {verified.recounted} recounted; their chains hold."
    )


def print_heads() -> None:
    """Print the last link of every vote's chain, a JSON line each, to be kept elsewhere."""
    chains = with_database(read_settings(), read_all_chains)
    for vote, links in chains.items():
        if links:
            line = {"vote": vote, "sequence": len(links), "hash": links[-1]}
            print(json.dumps(line))  # noqa: T201


async def read_export(database: Database, vote_id: str) -> dict[str, Any]:
    from models.migrate import check_reached
    from models.votes.export import export_vote

    await check_reached(database)
    try:
        wanted = UUID(vote_id)
    except ValueError:
        raise LookupError(f"{vote_id} is no id of a vote") from None
    async with database.snapshot() as session:
        data = await export_vote(session, wanted)
    if data is None:
        raise LookupError(f"there is no vote {vote_id} that has ended")
    return data


@dataclass
class Verified:
    """What `verify` found, by vote."""

    votes: int = 0
    recounted: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    untold: list[tuple[str, str]] = field(default_factory=list)


async def verify_votes(database: Database, heads: Sequence[Mapping[str, Any]] = ()) -> Verified:
    """What is wrong with each vote; one snapshot for each."""
    from models.votes.export import export_vote
    from models.votes.record import read_record

    chains = await read_all_chains(database)
    verified = Verified(votes=len(chains), problems=list(missing_heads(heads, chains)))
    for vote in chains:
        async with database.snapshot() as session:
            findings = verify_record(await read_record(session, UUID(vote)))
            data = await export_vote(session, UUID(vote), is_whole=True)
        if data is not None:
            verified.recounted += 1
            findings.problems += problems(data)
        verified.problems += [(vote, one) for one in dict.fromkeys(findings.problems)]
        verified.untold += [(vote, one) for one in findings.untold]
    return verified


async def read_all_chains(database: Database) -> dict[str, list[str]]:
    """The hashes of every vote's chain, in hex and in order."""
    from models.migrate import check_reached
    from models.votes.record import read_chains

    await check_reached(database)
    async with database.snapshot() as session:
        return await read_chains(session)


def read_heads(file: typer.FileText) -> list[dict[str, Any]]:
    """Fails with one line for what is no list of heads."""
    try:
        heads = [json.loads(line) for line in file if line.strip()]
        check_heads(heads)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fail(f"{file.name} holds no heads, as `branch-meetings heads` prints them: {error!r}")
    return heads


def tell_problems(found: Iterable[tuple[str, str]]) -> None:
    """Exit 1 after one line for each problem."""
    lines = [f"vote {vote}: {problem}" for vote, problem in found]
    for line in lines:
        print(f"branch-meetings: {line}", file=sys.stderr)  # noqa: T201
    if lines:
        raise SystemExit(1)
