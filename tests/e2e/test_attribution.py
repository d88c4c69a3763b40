"""Copies say whose they are: by the directory's mark, and by Teams' own line."""

from pathlib import Path

from tests.e2e.company import choose, employed
from tests.e2e.world import (
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)


async def test_whom_the_directory_knows_is_marked_and_nobody_can_claim_it(
    tmp_path: Path, database_url: str
) -> None:
    async with employed(
        tmp_path, database_url, ATOM_DIRECTORY_MARK_CONFIRMED="true"
    ) as (here, company):
        await choose(here, company, "bots=relay")
        await here.slack("post", text="from Alice")
        await here.until(lambda s: any("from Alice" in t for t in teams_texts(s)))
        await here.slack("bot_post", text="from a bot", username="Alice Wong ✓ :tada:")
        state = await here.until(lambda s: len(teams_messages(s)) == 2)
        told = [t.replace("\n", " ") for t in teams_texts(state)]

        await here.teams("post", text="from Carol")
        state = await here.until(lambda s: "from Carol" in slack_texts(s))

    assert told[0].startswith("Alice Wong ✓ (Slack)")
    assert told[1].startswith("Alice Wong (Slack, app)")
    [carol] = [m for m in slack_messages(state) if m["text"] == "from Carol"]
    assert carol["username"] == "Carol Díaz ✓ (Teams)"


async def test_who_has_an_account_in_teams_is_shown_as_speaking(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, ATOM_TEAMS_ON_BEHALF_OF="true") as here:
        await here.link()
        await here.set(teams__on_behalf_of=True)
        await here.teams(
            "enroll", member="29:bob", name="Bob Stone", email="bob@acme.example"
        )
        await here.start()
        ts = await here.slack("post", text="from Bob", user="U02BOB")
        await here.until(lambda s: len(teams_messages(s)) == 1)
        await here.slack("edit", ts=ts, text="Bob again", user="U02BOB")
        await here.until(lambda s: teams_texts(s)[0].endswith("Bob again"))
        await here.slack("post", text="from Alice", user="U01ALICE")
        state = await here.until(lambda s: len(teams_messages(s)) == 2)

    bobs, alices = teams_messages(state)
    [speaker] = bobs["on_behalf_of"]
    shown = speaker.pop("displayName")
    assert speaker == {"itemId": 0, "mentionType": "person", "mri": "29:bob"}
    assert bobs["text"].startswith(f"{shown} (Slack)")
    assert alices["on_behalf_of"] == []
    assert "✓" not in bobs["text"] + alices["text"]


async def test_nobody_is_marked_or_shown_as_speaking_unless_it_is_wished(
    tmp_path: Path,
) -> None:
    async with employed(tmp_path) as (here, _company):
        await here.set(teams__on_behalf_of=True)
        await here.slack("post", text="from Alice")
        state = await here.until(lambda s: len(teams_messages(s)) == 1)

    [copy] = teams_messages(state)
    assert "✓" not in copy["text"]
    assert copy["on_behalf_of"] == []
