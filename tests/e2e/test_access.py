"""What people may do follows the company's directory, on the next message."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from storage.log_reader import LogEntry
from tests.databases import migrated_template
from tests.e2e.company import PROJECT_GROUP, RULES, choose, employed, known, publish
from tests.e2e.files import KEEPING, in_drive, slack_copy, teams_copy
from tests.e2e.files import in_slack as in_slack_files
from tests.e2e.test_linking import slack_answer
from tests.e2e.test_private_notices import whispers
from tests.e2e.world import (
    FALCON,
    PROJECT,
    SHARING,
    World,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)
from tests.servers import Postgres, Redis, free_port


async def in_teams(here: World, text: str) -> Mapping[str, Any]:
    return await here.until(lambda s: any(text in t for t in teams_texts(s)))


async def in_slack(here: World, text: str) -> Mapping[str, Any]:
    return await here.until(lambda s: any(text in t for t in slack_texts(s)))


async def outcomes(here: World, etype: str = "message.create") -> list[tuple[str, str]]:
    """What was decided on everything that was said, and by which rule."""
    await here.quiet()
    return [
        (e.row["outcome"], e.body["decisions"][0]["rule"])
        for e in await here.log()
        if e.etype == etype and e.body.get("decisions")
    ]


async def decided(here: World) -> dict[str, tuple[str, str]]:
    """What was decided on what was said, by its words."""
    await here.quiet()
    return {
        e.body["text"]: (e.row["outcome"], e.body["decisions"][0]["rule"])
        for e in await here.log()
        if e.etype == "message.create" and e.body.get("decisions")
    }


async def test_the_next_message_obeys_whoever_moved_in_the_directory(
    tmp_path: Path, database_url: str
) -> None:
    """In no group: denied on both sides; moved in, out and disabled: so it goes on."""
    async with employed(tmp_path, database_url) as (here, company):
        await here.slack("post", text="from alice", typed=True)
        await here.teams("post", text="from carol")
        await in_teams(here, "from alice")
        await in_slack(here, "from carol")
        await here.slack("post", user="U02BOB", text="bob too early", typed=True)
        await here.teams("post", user="29:dave", text="dave too early")
        await here.until(lambda s: len(whispers(s)) == 1)

        company.inside[PROJECT_GROUP] |= {"bob", "dave"}
        company.write()
        await known(here, company)
        await here.slack("post", user="U02BOB", text="bob in time", typed=True)
        await here.teams("post", user="29:dave", text="dave in time")
        await in_teams(here, "bob in time")
        await in_slack(here, "dave in time")

        company.inside[PROJECT_GROUP] -= {"bob"}
        company.people[3].disabled = True
        company.write()
        await known(here, company)
        await here.slack("post", user="U02BOB", text="bob too late", typed=True)
        await here.teams("post", user="29:dave", text="dave too late")
        await here.slack("post", text="last", typed=True)
        await here.heard()
        state = await in_teams(here, "last")

        told = await decided(here)
        assert {text for text, (outcome, _) in told.items() if outcome == "deny"} == {
            "bob too early",
            "dave too early",
            "bob too late",
            "dave too late",
        }
        assert told["dave too late"][1] == "atom-inactive"
        crossed = [t for t in teams_texts(state) if "bob" in t]
        crossed += [t for t in slack_texts(state) if "dave" in t]
        assert sum("in time" in t for t in crossed) == len(crossed)
        assert "your company's rules do not allow it" in json.dumps(whispers(state))
        assert (await here.verdict()).intact


async def test_whatever_the_disabled_do_stays_where_it_is(tmp_path: Path) -> None:
    """Edits, deletions, reactions, files and commands are messages' equals."""
    async with employed(tmp_path) as (here, company):
        first = await here.slack("post", text="as it was", typed=True)
        second = await here.slack("post", text="to be deleted", typed=True)
        await in_teams(here, "to be deleted")

        company.people[0].disabled = True
        company.write()
        await known(here, company)
        await here.slack("edit", ts=first, text="as it is", typed=True)
        await here.slack("delete", ts=second)
        await here.slack("react", ts=first, name="rocket")
        await here.slack("upload", text="the plan", name="plan.txt", content="secret")
        answer = await slack_answer(here, "pause")
        await here.teams("post", text="carol goes on")
        state = await in_slack(here, "carol goes on")
        await here.quiet()

        texts = teams_texts(await here.state())
        assert any("as it was" in t for t in texts)
        assert any("to be deleted" in t for t in texts)
        assert "not active in the directory" in answer
        assert not any(m.get("reactions") for m in teams_messages(state))
        assert not any("the plan" in t for t in texts)
        assert not in_drive(here)
        kinds = {"message.edit", "message.delete", "reaction.add"}
        log = await here.log()
        assert {e.row["outcome"] for e in log if e.etype in kinds} == {"deny"}
        assert [e.row["outcome"] for e in log if e.etype == "policy.decision"] == [
            "deny"
        ]


async def test_whoever_may_not_hand_over_files_has_their_words_cross_alone(
    tmp_path: Path,
) -> None:
    rule = "  - {id: no-files, deny: bridge.file, who: {person: Alice Wong}}\n"
    test = (
        "  - name: Alice hands nothing over\n"
        "    given: {user: Alice Wong}\n"
        f'    ask: {{action: bridge.file, from: "{FALCON}", to: "{PROJECT}"}}\n'
        "    expect: {effect: deny, rules: [no-files]}\n"
    )
    head, tail = RULES.split("tests:\n")
    rules = f"{head}{rule}tests:\n{test}{tail}"
    async with employed(tmp_path, rules=rules, started=False) as (here, company):
        await here.set(teams__graph_roles=KEEPING)
        await here.start()
        await publish(here, company, rules)
        await here.slack("upload", text="from alice", name="a.txt", content="alices")
        await here.teams("upload", text="from carol", name="c.txt", content="carols")

        await here.until(lambda s: "in this thread" in slack_copy(s, "from carol"))
        await here.until(lambda s: "not allowed" in teams_copy(s, "from alice"))
        await here.quiet()

        assert in_drive(here).keys() == {"c.txt"}
        assert in_slack_files(here) == {"c.txt": b"carols"}


async def test_a_queued_message_is_decided_on_as_it_leaves(
    tmp_path: Path, database_url: str
) -> None:
    async with employed(tmp_path, database_url) as (here, company):
        for call in ("teams.post", "slack.chat.postMessage"):
            await here.fault(call, "429", times=10_000, retry_after=1)
        await here.slack("post", text="while teams was busy", typed=True)
        await here.teams("post", text="while slack was busy")
        assert await outcomes_now(here, 2) == ["allow", "allow"]

        company.inside[PROJECT_GROUP] -= {"alice", "carol"}
        company.write()
        await known(here, company)
        await here.no_faults()
        await here.until(lambda s: len(teams_texts(s)) == 2 and bool(whispers(s)))
        await here.quiet()

        state = await here.state()
        assert slack_texts(state) == ["while teams was busy"]
        [said, note] = teams_texts(state)
        assert said == "while slack was busy"
        assert "company's rules do not allow it" in note
        dropped = [e for e in await here.log() if e.etype == "bridge.dropped"]
        reasons = [e.body["reason"].partition(":")[0] for e in dropped]
        assert reasons == ["not allowed", "not allowed"]
        [told] = whispers(state)
        assert "company's rules do not allow it" in told["text"]
        assert "Reference" in told["text"]


async def outcomes_now(here: World, count: int) -> list[str]:
    """What was decided on what was said, as soon as so much is on record."""

    def said(entries: list[LogEntry]) -> list[str]:
        return [e.row["outcome"] for e in entries if e.etype == "message.create"]

    return said(await here.logged(lambda entries: len(said(entries)) == count))


async def test_people_of_no_directory_are_nobody_and_without_one_everybody_may(
    tmp_path: Path,
) -> None:
    (tmp_path / "with").mkdir()
    async with employed(tmp_path / "with") as (here, _company):
        await here.slack("post", user="U04DANA", text="who am I", typed=True)
        state = await here.until(lambda s: len(whispers(s)) == 1)
        assert "does not know this account" in whispers(state)[0]["text"]
        assert await outcomes(here) == [("deny", "unknown-person")]
        assert teams_texts(await here.state()) == []

    (tmp_path / "without").mkdir()
    url = f"sqlite:///{tmp_path}/without/atom.db"
    async with world(tmp_path / "without", url) as here:
        await here.link()
        await here.start()
        await here.slack("post", user="U04DANA", text="who am I", typed=True)
        await in_teams(here, "who am I")


async def test_a_guest_who_joins_the_target_keeps_back_what_is_confidential(
    tmp_path: Path,
) -> None:
    """Scenario 15: refused before it is posted, and nothing slips through meanwhile."""
    async with employed(tmp_path) as (here, _company):
        await here.slack("post", text="#confidential for us alone", typed=True)
        await in_teams(here, "for us alone")
        await here.quiet()

        await here.teams(
            "enroll",
            member="29:gus",
            name="Gus Guest",
            email="gus@partner.example",
            role="guest",
        )
        await here.heard()
        await here.slack("post", text="#confidential not for guests", typed=True)
        await here.slack("post", text="hello everybody", typed=True)
        state = await in_teams(here, "hello everybody")
        await here.until(lambda s: len(whispers(s)) >= 1)

        assert not any("not for guests" in t for t in teams_texts(state))
        [told] = whispers(await here.state())
        assert "atom-label-before-outsiders" in told["text"]  # as it was heard, or left


async def test_a_directory_that_went_silent_keeps_messages_waiting_in_order(
    tmp_path: Path,
) -> None:
    """Scenario 25: nothing that is denied becomes allowed, and all arrives in order."""
    async with employed(tmp_path, ATOM_DIRECTORY_STALE_AFTER="4") as (here, company):
        await here.slack("post", text="fresh", typed=True)
        await in_teams(here, "fresh")
        content = company.path.read_text(encoding="utf-8")
        company.path.write_text("people: [", encoding="utf-8")  # it says nothing now

        await _aged(here)
        for n in range(3):
            await here.slack("post", text=f"waits {n}", typed=True)
        assert not any("waits" in t for t in teams_texts(await here.state()))
        company.path.write_text(content, encoding="utf-8")
        state = await in_teams(here, "waits 2")

        crossed = [t for t in teams_texts(state) if "waits" in t]
        assert [t[-7:] for t in crossed] == ["waits 0", "waits 1", "waits 2"]
        rules = {rule for _, rule in await outcomes(here)}
        assert "atom-stale-directory" in rules
        assert whispers(await here.state()) == []


async def test_without_redis_the_denied_stay_denied_and_a_change_still_counts(
    tmp_path: Path, postgres: Postgres, own_redis: Redis
) -> None:
    """Scenario 25: two processes that share Redis, and it is away for a while."""
    lease = SHARING["ATOM_TUNING_LEASE"]
    with postgres.database(migrated_template(postgres)) as url:
        async with employed(
            tmp_path, url, ATOM_REDIS_URL=own_redis.url, ATOM_TUNING_LEASE=lease
        ) as (here, company):
            other = replace(here, port=free_port(), process=None)
            await other.start()
            try:
                own_redis.stop()
                company.inside[PROJECT_GROUP] ^= {"alice", "bob"}
                company.write()
                await known(here, company)
                for asked in (here, other):
                    await here.set(atom_url=asked.atom)
                    await here.slack("post", text="alice is out", typed=True)
                    await here.slack("post", user="U02BOB", text="bob", typed=True)
                    await here.heard()
                await here.until(lambda s: len(teams_texts(s)) == 2)
                own_redis.start()
                await here.slack("post", text="alice is still out", typed=True)
                await here.slack("post", user="U02BOB", text="bob again", typed=True)
                state = await in_teams(here, "bob again")
                await here.quiet()
            finally:
                await other.stop()

            assert not any("alice" in text for text in teams_texts(state))
            told = await outcomes(here)
            assert [outcome for outcome, _ in told].count("deny") == 3
            assert (await here.verdict()).intact


async def test_without_logins_the_denied_stay_denied_and_posts_queue_in_order(
    tmp_path: Path,
) -> None:
    """Scenario 25: the identity provider gives nobody a token for a while."""
    more = {"ATOM_TUNING_LONGEST_PAUSE": "0.1", "ATOM_TUNING_TRIES": "2"}
    async with employed(tmp_path, started=False, **more) as (here, company):
        await here.set(teams__token_seconds=1)  # nobody lives on an old one
        await here.start()
        await publish(here, company, RULES)
        await here.fault("teams.token", "503", times=100_000)
        await here.slack("post", text="alice was in", typed=True)
        await here.slack("post", user="U02BOB", text="bob was out", typed=True)
        await here.heard()
        company.inside[PROJECT_GROUP] ^= {"alice", "bob"}
        company.write()
        await known(here, company)
        for n in range(3):
            await here.slack("post", user="U02BOB", text=f"bob {n}", typed=True)
        await here.slack("post", text="alice is out", typed=True)
        await here.heard()
        assert teams_texts(await here.state()) == []

        await here.no_faults()
        state = await in_teams(here, "bob 2")
        told = await decided(here)

        assert [text[-5:] for text in teams_texts(state)] == ["bob 0", "bob 1", "bob 2"]
        assert told["alice was in"][0] == "allow"  # as it was said, not as it left
        assert {told[text][0] for text in ("bob was out", "alice is out")} == {"deny"}
        [dropped] = [e for e in await here.log() if e.etype == "bridge.dropped"]
        assert dropped.body["reason"].startswith("not allowed: ")
        assert (await here.verdict()).intact


async def _aged(here: World) -> None:
    """Wait until the directory counts as old: a message is denied for it."""
    while True:
        await here.slack("post", text="probe", typed=True)
        denied = [
            e
            for e in await here.log()
            if e.etype == "message.create" and e.row["outcome"] == "deny"
        ]
        if denied:
            return


async def test_whoever_goes_under_anothers_address_is_nobody_and_the_other_hears(
    tmp_path: Path,
) -> None:
    """Scenario 21: a guest in Slack takes Alice's address, and speaks."""
    async with employed(tmp_path, started=False) as (here, company):
        mallory = here.sandbox.slack.users["U03CHEN"]
        mallory.is_guest, mallory.email = True, "alice@acme.example"
        await here.start()
        await publish(here, company, RULES)
        for text in ("it is me, alice", "again"):
            await here.slack("post", user=mallory.id, text=text, typed=True)
        await here.until(lambda _: bool(alone_with(here, "U01ALICE")))
        await here.quiet()

        [told] = alone_with(here, "U01ALICE")
        assert "slack:T01ACME/U03CHEN goes under your address" in str(told)
        assert alone_with(here, mallory.id) == []
        texts = teams_texts(await here.state())
        assert not any("it is me" in text for text in texts)
        kinds = [e.etype for e in await here.log()]
        assert kinds.count("account.refused") == 1


def alone_with(here: World, user: str) -> list[Any]:
    """What ATOM said to somebody in their own chat with it."""
    return [
        said
        for channel in here.sandbox.slack.channels.values()
        if channel.kind == "im" and user in channel.members
        for said in channel.messages.values()
    ]


async def test_two_accounts_are_one_person_by_a_code(tmp_path: Path) -> None:
    """Bob's account in Teams has no address that anybody proves; he proves it."""
    async with employed(tmp_path) as (here, company):
        company.inside[PROJECT_GROUP] |= {"bob"}
        company.write()
        await known(here, company)
        await here.teams(
            "enroll", member="29:bob", name="Bobby", email="bobby@elsewhere.example"
        )
        await here.heard()
        await here.teams("post", user="29:bob", text="bob unknown")
        shown = await slack_answer(here, "me code", "U02BOB")
        code = shown.split("Your code: ")[1][:9]

        message = await here.teams(
            "post", user="29:bob", text=f"me {code}", mention_bot=True
        )
        await here.until(
            lambda s: any(
                m["root"] == message and "Bob Stone" in json.dumps(m)
                for m in teams_messages(s)
                if not m["is_root"]
            )
        )
        await here.teams("post", user="29:bob", text="bob known")

        await in_slack(here, "bob known")
        assert not any("bob unknown" in t for t in slack_texts(await here.state()))
        kinds = [e.etype for e in await here.log()]
        assert kinds.count("account.link") >= 2


async def test_linked_channels_follow_the_directory(tmp_path: Path) -> None:
    """Scenario 16: who loses the group leaves the channel, and is let in with it."""
    async with employed(tmp_path) as (here, company):
        company.inside[PROJECT_GROUP] |= {"bob"}
        company.write()
        await known(here, company)
        await here.slack("post", user="U02BOB", text="bob is here", typed=True)
        await in_teams(here, "bob is here")
        await choose(here, company, "members=remove")
        for user in ("U03CHEN", "U04DANA"):
            await here.until(lambda s, u=user: u not in members(s))  # type: ignore[misc]
        assert "U02BOB" in members(await here.state())

        company.inside[PROJECT_GROUP] -= {"bob"}
        company.write()
        await here.until(lambda s: "U02BOB" not in members(s))
        company.inside[PROJECT_GROUP] |= {"bob"}
        company.write()
        await here.until(lambda s: "U02BOB" in members(s))


async def test_who_may_not_read_what_is_bridged_is_not_left_in_the_channel(
    tmp_path: Path,
) -> None:
    rule = "  - {id: bob-reads-nothing, deny: bridge.read, who: {person: Bob Stone}}\n"
    test = (
        "  - name: Bob reads nothing\n"
        "    given: {user: Bob Stone}\n"
        f'    ask: {{action: bridge.read, from: "{PROJECT}", to: "{FALCON}"}}\n'
        "    expect: {effect: deny, rules: [bob-reads-nothing]}\n"
    )
    head, tail = RULES.split("tests:\n")
    async with employed(tmp_path) as (here, company):
        company.inside[PROJECT_GROUP] |= {"bob"}
        company.write()
        await known(here, company)
        await choose(here, company, "members=remove")
        await here.until(lambda s: "U03CHEN" not in members(s))
        assert "U02BOB" in members(await here.state())

        await publish(here, company, f"{head}{rule}tests:\n{test}{tail}")
        await here.until(lambda s: "U02BOB" not in members(s), 90)
        assert "U01ALICE" in members(await here.state())


async def test_who_may_not_invite_brings_nobody_into_a_linked_channel(
    tmp_path: Path,
) -> None:
    rules = f"""
rules:
  - {{id: bob-invites-nobody, deny: channel.invite, who: {{person: Bob Stone}}}}
tests:
  - name: Bob invites nobody
    given: {{user: Bob Stone}}
    ask: {{action: channel.invite, channel: "{FALCON}"}}
    expect: {{effect: deny, rules: [bob-invites-nobody]}}
"""
    async with employed(tmp_path, rules=rules) as (here, company):
        await choose(here, company, "members=remove")
        await here.until(lambda s: "U03CHEN" not in members(s))
        await here.slack("leave", user="U01ALICE")
        await here.slack("join", user="U01ALICE", inviter="U02BOB")
        await here.until(lambda s: "U01ALICE" not in members(s))

        await here.slack("join", user="U01ALICE")
        await here.slack("post", text="back by myself", typed=True)
        await in_teams(here, "back by myself")
        assert "U01ALICE" in members(await here.state())
        told = [e.body["text"] for e in await here.log() if e.etype == "member.kept"]
        assert any("bob-invites-nobody" in text for text in told)


def members(state: Mapping[str, Any]) -> list[str]:
    return [
        member
        for workspace in state["slack"]["workspaces"]
        for channel in workspace["channels"]
        if channel["id"] == "C02FALCON"
        for member in channel["members"]
    ]
