"""A result that does not show who voted how, and figures that nobody sees before their time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from models.base import Base as Table
from models.database import Database
from models.rights import IN_THE_BOX, ONLY_INSERTED, UNSEEN, grant
from models.votes.ballot_box import NewBallot, put_ballots
from models.votes.export import export_vote
from models.votes.votes import Ballot, BallotChoice, CastMark, OpenPaper, Paper, PaperChoice
from resolvers.access.changes import AccessChanges
from rules.votes.ballots import Judged, Validity
from rules.votes.presets import Matter
from rules.votes.record.audit import AuditKind, chain_hash
from rules.votes.record.recount import problems
from rules.votes.rule_sets import LiveTally, RuleSet
from tests.support.asking import MEETING, OWN_VOTE, act, ask, watch
from tests.support.database_log import dump, unchanged
from tests.support.factories import ORDINARY, City, Person, Scene, VoteIds, context_of
from tests.support.voting import (
    HIDDEN,
    Held,
    cast,
    cast_refused,
    chain,
    count,
    counts,
    end,
    export,
    look,
    open_motion,
    prepare,
    prepared_motion,
    stored,
    vote_after,
)


@pytest.fixture
async def vote(city: City) -> VoteIds:
    """A motion that is open, and hides who votes how."""
    return await open_motion(city, HIDDEN)


async def everybody_casts(city: City, vote: VoteIds) -> None:
    for person, option in zip(city.entitled, cycle(vote.options.values()), strict=False):
        await cast(person, vote, option)


# --- What is stored -----------------------------------------------------------------------------


async def test_marks_and_papers_share_nothing_but_the_vote(city: City, vote: VoteIds) -> None:
    await everybody_casts(city, vote)
    assert await count(city, Ballot) == await count(city, BallotChoice) == 0
    sides: list[set[str]] = []
    for tables in (("cast_mark", "roll_entry"), ("open_paper",)):
        values: set[str] = set()
        for table in tables:
            columns = [c for c in Table.metadata.tables[table].columns if c.name != "vote_id"]
            rows = await stored(city, select(*columns))
            values |= {part for row in rows for value in row for part in parts(value)}
        sides.append(values)
    members, papers = sides
    assert {str(person.id) for person in city.entitled} <= members
    assert {str(option) for option in vote.options.values()} <= papers
    assert members & papers == set()


def parts(value: Any) -> list[str]:
    return list(map(str, value)) if isinstance(value, list) else [str(value)]


def test_papers_have_no_member_no_time_and_no_number() -> None:
    for table in ("open_paper", "paper", "paper_choice"):
        columns = {column.name for column in Table.metadata.tables[table].columns}
        assert columns <= {"id", "vote_id", "validity", "paper_id", "option_id", "choices"}


async def test_no_row_of_the_database_holds_a_member_and_an_option(
    city: City, vote: VoteIds
) -> None:
    await everybody_casts(city, vote)
    await vote_after(city.hanh, "closeVote", vote)
    await vote_after(city.hanh, "publishVote", vote)
    voters = {form for person in city.entitled for form in (str(person.id), person.id.hex)}
    options = {form for one in vote.options.values() for form in (str(one), one.hex)}
    for table, rows in (await dump(city.scene.database)).items():
        for row in rows:
            names = {voter for voter in voters if voter in row}
            if table == "audit":  # who chaired, and everybody's figures
                names -= {str(city.hanh.id), city.hanh.id.hex}
            assert not names or not any(option in row for option in options), table


async def test_closing_writes_the_papers_anew_in_random_order(city: City) -> None:
    voters = [city.scene.member(f"Đảng viên {n}", city.branch) for n in range(20)]
    vote = await open_motion(city, HIDDEN)
    for number, voter in enumerate(voters):
        await cast(voter, vote, vote.for_ if number < 10 else vote.against)
    before = {row.id for row in await stored(city, select(OpenPaper.id))}
    assert await papers_in_order(city) == []
    await end(city, vote)
    after = await papers_in_order(city)
    assert Counter(option for _, option in after) == {vote.for_: 10, vote.against: 10}
    assert before.isdisjoint(paper for paper, _ in after)
    # The chance that this is an accident is 1 in 184,756.
    assert [option for _, option in after] != [vote.for_] * 10 + [vote.against] * 10


async def papers_in_order(city: City) -> list[tuple[Any, Any]]:
    """(paper, option) in the order in which the database stores the papers' choices."""
    place = "ctid" if city.scene.database.dialect == "postgresql" else "rowid"
    statement = select(PaperChoice.paper_id, PaperChoice.option_id).order_by(text(place))
    return [(row.paper_id, row.option_id) for row in await stored(city, statement)]


async def test_blank_and_invalid_papers_survive_the_rewriting(city: City) -> None:
    city.scene.preset(city.branch, "vi-party")
    await city.scene.save()
    paper = await prepare(
        city.hanh, city.meeting.items[0], Matter.DISCIPLINE, ["Khai trừ", "Cảnh cáo"]
    )
    await vote_after(city.hanh, "openVote", paper)
    await cast(city.an, paper)
    await cast(city.binh, paper, paper.box("Khai trừ"), paper.box("Cảnh cáo"))
    for person in (city.chi, city.minh, city.nam):
        await cast(person, paper, paper.box("Cảnh cáo"))
    await end(city, paper)
    await vote_after(city.hanh, "publishVote", paper)
    tally = (await look(city.hanh, paper))["tally"]
    assert (tally["cast"], tally["blanks"], tally["invalid"]) == (5, 1, 1)
    assert list(problems(await export(city, paper))) == []


# --- Receipts -----------------------------------------------------------------------------------


async def test_a_receipt_says_that_and_not_how(city: City, vote: VoteIds) -> None:
    receipt = await cast(city.an, vote, vote.for_)
    assert (receipt["choices"], receipt["tracker"]) == (None, None)
    assert (await look(city.an, vote))["myReceipt"]["id"] == receipt["id"]
    papers = await stored(city, select(OpenPaper.id))
    assert receipt["id"] not in {str(row.id) for row in papers}


async def test_the_same_key_gives_the_same_receipt_and_no_second_paper(
    city: City, vote: VoteIds
) -> None:
    receipt = await cast(city.an, vote, vote.for_)
    async with unchanged(city.scene.database):
        assert await cast(city.an, vote, vote.for_) == receipt
        # Nobody could say any more whether this is another choice than before.
        assert await cast(city.an, vote, vote.against) == receipt
    for choice in (vote.for_, vote.against):
        assert (await cast_refused(city.an, vote, choice, key="other"))[0] == "ALREADY_VOTED"
    await end(city, vote)
    assert await cast(city.an, vote, vote.for_) == receipt
    assert await count(city, Paper) == await count(city, CastMark) == 1


@pytest.mark.parametrize("devices", ["one process", "several"])
async def test_a_member_who_votes_from_many_devices_at_once_has_one_paper(
    city: City, vote: VoteIds, devices: str
) -> None:
    def device(person: Person) -> Person:
        if devices == "one process":
            return person
        return replace(person, scene=Scene(city.scene.database, city.scene.feed))

    await cast(city.binh, vote, vote.for_)  # from here on, ballots go together
    ballots = []
    for number, option in zip(range(9), cycle(vote.options.values()), strict=False):
        arguments = {"voteId": vote.id, "choices": [option], "key": f"key-{number}"}
        ballots.append(act(context_of(device(city.an)), "castBallot", **arguments))
    answers = await asyncio.gather(*ballots)
    told = Counter(one.get("reason", one["__typename"]) for one in answers)
    assert told == {"Receipt": 1, "ALREADY_VOTED": 8}
    assert await count(city, CastMark) == await count(city, OpenPaper) == 2
    await end(city, vote)
    assert (await look(city.hanh, vote))["tally"]["cast"] == 2


@pytest.mark.parametrize("rule", [HIDDEN, ORDINARY], ids=["unattributed", "open"])
async def test_of_a_member_s_ballots_that_are_written_together_the_first_is_taken(
    city: City, rule: RuleSet
) -> None:
    vote = await open_motion(city, rule)
    ballots = [
        NewBallot(voter.id, voter.signed_in.session_id, f"key-{number}", judged)
        for number, option in enumerate([vote.against, vote.for_, vote.for_])
        for voter in (city.an, city.binh)
        for judged in [Judged(Validity.VALID, (option,))]
    ]
    put = await put_ballots(city.scene.database, vote.id, rule.secrecy, ballots)
    assert [one is not None for one in put] == [True, True, False, False, False, False]
    if rule is ORDINARY:
        assert await count(city, Ballot) == 2
        chosen = [row.option_id for row in await stored(city, select(BallotChoice.option_id))]
    else:
        rows = await stored(city, select(OpenPaper.choices))
        chosen = [UUID(one) for row in rows for one in row.choices]
    assert chosen == [vote.against] * 2


# --- Who sees figures, and when -----------------------------------------------------------------


def figures_in(data: Any) -> list[Any]:
    """Every figure of an option, of blanks and invalid ballots, and every outcome and record."""
    found = []
    if isinstance(data, dict):
        for name, value in data.items():
            if name in {"count", "blanks", "invalid", "outcome", "record"}:
                found.append(value)
            else:
                found += figures_in(value)
    elif isinstance(data, list):
        found = [figure for one in data for figure in figures_in(one)]
    return [figure for figure in found if figure is not None]


async def all_they_see(person: Person, city: City, vote: Held) -> Any:
    """The vote by a query, by a subscription, and in its meeting."""
    document = f"subscription ($id: ID!) {{ vote(id: $id) {{ {OWN_VOTE} }} }}"
    async with watch(context_of(person), document, id=str(vote.id)) as watched:
        pushed = await watched.next()
    query = f"query ($id: ID!) {{ meeting(id: $id) {{ {MEETING} }} }}"
    meeting = (await ask(context_of(person), query, id=str(city.meeting.id)))["meeting"]
    in_meeting = [one for one in meeting["votes"] if one["id"] == str(vote.id)]
    return [await look(person, vote), pushed, in_meeting]


async def test_while_the_vote_is_open_nobody_sees_figures(city: City, vote: VoteIds) -> None:
    with capture_logs() as logs:
        answers = [
            await cast(person, vote, option)
            for person, option in zip(city.entitled, cycle(vote.options.values()), strict=False)
        ]
    assert logs == []
    for person in (city.hanh, city.dung, city.an, city.lan, city.oanh):
        seen = await all_they_see(person, city, vote)
        assert figures_in(seen) == [], person.name
        assert seen[0]["tally"]["cast"] == 7
    assert figures_in(answers) == []
    async with city.scene.database.snapshot() as session:
        assert await export_vote(session, vote.id) is None
    audited = json.dumps([payload for _, payload in await chain(city, vote)])
    assert not any(str(option) in audited for option in vote.options.values())


async def test_after_closing_nobody_sees_the_result_and_then_everybody_at_once(
    city: City, vote: VoteIds
) -> None:
    await everybody_casts(city, vote)
    with capture_logs() as logs:
        closed = await vote_after(city.hanh, "closeVote", vote)
    assert logs == []
    assert (closed["state"], closed["publishedAt"], figures_in(closed)) == ("CLOSED", None, [])
    for person in (city.hanh, city.dung, city.an, city.lan, city.oanh):
        assert figures_in(await all_they_see(person, city, vote)) == [], person.name
    await vote_after(city.dung, "publishVote", vote)
    expected = dict(zip(map(str, vote.options.values()), [3, 2, 2], strict=True))
    for person in (city.hanh, city.an, city.lan, city.oanh):
        seen = await look(person, vote)
        assert counts(seen) == expected
        assert seen["outcome"]["verdict"] == "NOT_CARRIED"
        assert seen["record"] is None, "who voted how is nowhere"


async def test_the_audit_head_does_not_let_members_guess_a_result_before_it_is_published(
    city: City,
) -> None:
    """Everything in the closing row but the figures is known, and the figures are few."""
    vote = await open_motion(city, replace(ORDINARY, live_tally=LiveTally.AFTER_CLOSE))
    await everybody_casts(city, vote)
    before = (await look(city.an, vote))["auditHead"]
    await vote_after(city.hanh, "closeVote", vote)
    kind, payload = (await chain(city, vote))[-1]
    guessed = chain_hash(bytes.fromhex(before), AuditKind(kind), payload).hex()
    assert (await look(city.hanh, vote))["auditHead"] == guessed
    assert (await look(city.an, vote))["auditHead"] == before
    await vote_after(city.hanh, "publishVote", vote)
    assert (await look(city.an, vote))["auditHead"] not in {before, guessed}


async def test_the_chain_of_a_hidden_vote_tells_its_figures_when_it_is_published(
    city: City, vote: VoteIds
) -> None:
    await everybody_casts(city, vote)
    await vote_after(city.hanh, "closeVote", vote)
    before = json.dumps(await chain(city, vote))
    assert not any(str(option) in before for option in vote.options.values())
    heads = {(await look(person, vote))["auditHead"] for person in (city.hanh, city.an)}
    assert len(heads) == 1
    await vote_after(city.hanh, "publishVote", vote)
    after = json.dumps(await chain(city, vote))
    assert all(str(option) in after for option in vote.options.values())


# --- Small groups -------------------------------------------------------------------------------


async def test_the_chair_is_warned_where_a_unanimous_result_would_tell_everything(
    city: City,
) -> None:
    city.scene.rule(city.branch, HIDDEN)
    await city.scene.save()
    item = city.meeting.items[0]
    everybody = await prepare(city.hanh, item)
    assert (await look(city.hanh, everybody))["warnings"] == []
    recused = [city.an.id, city.binh.id, city.chi.id]
    four = await prepare(city.hanh, item, recused=recused)
    assert (await look(city.hanh, four))["warnings"] == ["SMALL_GROUP"]


async def test_a_vote_that_is_open_to_all_warns_of_nothing(city: City) -> None:
    assert (await look(city.hanh, city.vote))["warnings"] == []


# --- The role that serves -----------------------------------------------------------------------


@pytest.fixture
async def serving(city: City) -> AsyncIterator[City]:
    """The city as served by a role that has only the rights that serving needs."""
    owner = city.scene.database
    role = f"serving_{uuid4().hex}"
    async with owner.writer_engine.begin() as connection:
        await connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'serving'")
    assert await grant(owner, role) == []
    url = make_url(owner.engine.url).set(username=role, password="serving")
    database = Database(url.render_as_string(hide_password=False))
    scene = Scene(database, city.scene.feed)
    for name, value in list(vars(city).items()):
        if isinstance(value, Person):
            setattr(city, name, replace(value, scene=scene))
    city.entitled = [replace(person, scene=scene) for person in city.entitled]
    yield city
    await database.dispose()
    async with owner.writer_engine.begin() as connection:
        await connection.exec_driver_sql(f"DROP OWNED BY {role}")
        await connection.exec_driver_sql(f"DROP ROLE {role}")


ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@ON_POSTGRESQL
async def test_the_serving_role_holds_votes_and_changes_nothing_cast(serving: City) -> None:
    hidden = await prepared_motion(serving, HIDDEN)
    for vote in (serving.vote, hidden):
        await vote_after(serving.hanh, "openVote", vote)
        await everybody_casts(serving, vote)
        await vote_after(serving.hanh, "closeVote", vote)
    await vote_after(serving.hanh, "publishVote", hidden)
    for vote in (serving.vote, hidden):
        assert list(problems(await export(serving, vote))) == []
    database = serving.an.scene.database
    forbidden = [
        *(f"{verb} {table}" for verb in ("DELETE FROM", "TRUNCATE") for table in ONLY_INSERTED),
        *(f"INSERT INTO {table} SELECT * FROM {table}" for table in IN_THE_BOX),  # noqa: S608
        *(f"SELECT * FROM {table}" for table in UNSEEN),  # noqa: S608
        "UPDATE ballot SET key = 'x'",
        "UPDATE ballot_choice SET vote_id = vote_id",
        "UPDATE cast_mark SET key = 'x'",
        "UPDATE hand_mark SET vote_id = vote_id",
        "UPDATE hand_taken_back SET is_contested = FALSE",
        "UPDATE paper SET validity = 'BLANK'",
        "UPDATE paper_choice SET option_id = option_id",
        "UPDATE audit SET sequence = 9",
        "ALTER TABLE ballot DISABLE TRIGGER only_inserted",
        "DROP TRIGGER only_inserted ON audit",
        "DROP TABLE ballot",
        "SET session_replication_role = replica",
    ]
    async with unchanged(serving.scene.database):
        for statement in forbidden:
            async with database.writing() as session:
                with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
                    await session.execute(text(statement))


@ON_POSTGRESQL
async def test_the_serving_role_changes_access_and_writes_no_note_of_it_by_itself(
    serving: City,
) -> None:
    database = serving.an.scene.database
    changes = AccessChanges(database)
    await changes.read()
    why = {"memberId": serving.an.id, "reason": "Chờ xem xét"}
    await act(context_of(serving.hanh), "suspendMember", **why)
    assert await changes.read() == {serving.an.id}
    await act(context_of(serving.hanh), "reinstateMember", memberId=serving.an.id)
    assert await changes.read() == {serving.an.id}
    await ask(context_of(serving.binh), "mutation { signOut }")
    changes._prune_after = 0.0
    assert await changes.read() == {serving.binh.id}
    async with unchanged(serving.scene.database):
        for statement in (
            "INSERT INTO access_change (member_id, changed_at) VALUES (gen_random_uuid(), now())",
            "UPDATE access_change SET changed_at = now()",
            "ALTER TABLE member DISABLE TRIGGER member_access",
        ):
            async with database.writing() as session:
                with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
                    await session.execute(text(statement))


@ON_POSTGRESQL
async def test_papers_are_rewritten_only_when_their_vote_has_closed(serving: City) -> None:
    hidden = await prepared_motion(serving, HIDDEN)
    await vote_after(serving.hanh, "openVote", hidden)
    await everybody_casts(serving, hidden)
    async with serving.an.scene.database.writing() as session:
        with pytest.raises(DBAPIError, match="closed vote"):
            await session.execute(select(func.rewrite_papers(hidden.id)))


@ON_POSTGRESQL
async def test_only_the_serving_role_may_have_papers_rewritten(serving: City) -> None:
    owner = serving.scene.database
    other = f"other_{uuid4().hex}"
    async with owner.writer_engine.begin() as connection:
        await connection.exec_driver_sql(f"CREATE ROLE {other}")
        await connection.exec_driver_sql(f"SET LOCAL ROLE {other}")
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(select(func.rewrite_papers(serving.vote.id)))
        await connection.rollback()
