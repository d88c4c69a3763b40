"""Links are made, paused and ended by the people who use them, on both sides."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.process import Ended, ran
from tests.e2e.world import (
    FALCON,
    PROJECT,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

_CODE = re.compile(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b")


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await made.start()
        yield made


async def slack_answer(here: World, line: str, user: str = "U01ALICE") -> str:
    """Type a command in Slack; returns everything that ATOM's answer says."""
    given = {
        "workspace": "T01ACME",
        "user": user,
        "channel": FALCON.id,
        "action": "command",
        "command": "/atom",
        "args": line,
    }
    answer = await here._act("slack", given)
    return json.dumps(answer["answer"], ensure_ascii=False)


async def teams_answer(
    here: World, line: str, user: str = "29:carol", **more: Any
) -> str:
    """Mention ATOM in Teams; returns everything that its reply says."""
    message = await here.teams("post", text=line, user=user, mention_bot=True, **more)

    def answered(state: Mapping[str, Any]) -> bool:
        return any(
            m["root"] == message and not m["is_root"] for m in teams_messages(state)
        )

    state = await here.until(answered)
    replies = [
        m for m in teams_messages(state) if m["root"] == message and not m["is_root"]
    ]
    return json.dumps(replies[-1]["attachments"], ensure_ascii=False)


def code_in(answer: str) -> str:
    found = _CODE.search(answer)
    assert found, answer
    return found[0]


async def command_line(here: World, *arguments: str) -> Ended:
    return await ran(here.environment(), arguments, here.home)


async def test_slack_asks_and_teams_agrees(here: World) -> None:
    code = code_in(await slack_answer(here, "link"))

    await teams_answer(here, f"link {code}")

    await here.slack("post", text="are you there?")
    await here.until(lambda s: any("are you there?" in t for t in teams_texts(s)))
    state = await here.state()
    assert any("linked now" in json.dumps(m) for m in slack_messages(state))
    assert any("linked now" in json.dumps(m) for m in teams_messages(state))


async def test_teams_asks_and_slack_agrees(here: World) -> None:
    code = code_in(await teams_answer(here, "link"))

    await slack_answer(here, f"link {code}")

    await here.teams("post", text="are you there?")
    await here.until(lambda s: "are you there?" in slack_texts(s))


async def test_who_is_no_admin_may_not_link(here: World) -> None:
    assert not _CODE.search(await slack_answer(here, "link", user="U02BOB"))
    assert not _CODE.search(await teams_answer(here, "link", user="29:dave"))

    code = code_in(await slack_answer(here, "link"))
    await teams_answer(here, f"link {code}", user="29:dave")

    await with_links(here, 0)


async def test_a_second_link_of_the_same_pair_is_refused_with_a_reason(
    here: World,
) -> None:
    await teams_answer(here, f"link {code_in(await slack_answer(here, 'link'))}")

    again = code_in(await slack_answer(here, "link"))
    answer = await teams_answer(here, f"link {again}")

    assert "linked already" in answer
    await with_links(here, 1)


async def test_a_channel_that_atom_cannot_post_to_is_refused(here: World) -> None:
    code = code_in(await slack_answer(here, "link"))
    await here.slack("archive")

    answer = await teams_answer(here, f"link {code}")

    assert "archived" in answer
    await with_links(here, 0)


async def test_a_paused_link_keeps_messages_until_it_is_resumed(here: World) -> None:
    await teams_answer(here, f"link {code_in(await slack_answer(here, 'link'))}")
    await slack_answer(here, "pause")
    await here.slack("post", text="said while paused")
    assert "1" in await teams_answer(here, "status")
    assert not any("said while paused" in t for t in teams_texts(await here.state()))

    await teams_answer(here, "resume")

    await here.until(lambda s: any("said while paused" in t for t in teams_texts(s)))


async def test_an_ended_link_carries_nothing_more(here: World) -> None:
    await teams_answer(here, f"link {code_in(await slack_answer(here, 'link'))}")

    await slack_answer(here, "unlink")
    await here.slack("post", text="said after the end")
    await here.quiet()

    assert not any("after the end" in t for t in teams_texts(await here.state()))
    await with_links(here, 0)


async def test_a_dry_run_on_either_side_tells_what_would_be(here: World) -> None:
    for n in range(3):
        await here.slack("post", text=f"said before, {n}")
    in_slack = code_in(await slack_answer(here, "link"))
    in_teams = code_in(await teams_answer(here, "link"))
    stood = len(slack_messages(await here.state()))

    answers = [
        await teams_answer(here, f"link {in_slack} dry-run"),
        await whispered(here, f"link {in_teams} backfill=2 dry-run"),
        (
            await command_line(here, "link", str(FALCON), str(PROJECT), "--dry-run")
        ).stdout,
    ]

    for answer in answers:
        assert "this is what would be" in answer
        assert answer.count("can read and post") == 2
        assert "3 messages" in answer
        assert "of them guests or from elsewhere" in answer
    await with_links(here, 0)
    assert len(slack_messages(await here.state())) == stood
    await teams_answer(here, f"link {in_slack}")
    await with_links(here, 1)


async def test_a_dry_run_tells_that_atom_is_not_in_the_channel(here: World) -> None:
    code = code_in(await slack_answer(here, "link"))
    await here.slack("leave", user="UATOM")

    answer = await teams_answer(here, f"link {code} dry-run")

    assert "It would not work yet" in answer
    assert "ATOM is not in" in answer
    assert "any more" not in answer


async def whispered(here: World, line: str) -> str:
    """Type a command in Slack; returns its answer, at once or afterwards."""
    answer = await slack_answer(here, line)
    if answer != "null":
        return answer

    def told(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [w for t in state["slack"]["workspaces"] for w in t["ephemerals"]]

    state = await here.until(lambda s: bool(told(s)))
    return json.dumps(told(state)[-1], ensure_ascii=False)


async def test_a_card_s_button_answers_like_the_command(here: World) -> None:
    assert "/atom link" in await slack_answer(here, "help")

    help_card = await teams_answer(here, "help")

    assert "@ATOM link" in help_card
    assert "/atom" not in help_card


async def test_the_command_line_links_lists_and_unlinks(here: World) -> None:
    linked = await command_line(here, "link", str(FALCON), str(PROJECT))
    assert linked.code == 0, linked.stderr
    await asyncio.sleep(0.3)  # until the serving process notices, as promised
    await here.slack("post", text="across")
    await here.until(lambda s: any("across" in t for t in teams_texts(s)))

    listed = json.loads((await command_line(here, "links", "--json")).stdout)
    status = json.loads((await command_line(here, "status", "--json")).stdout)
    ended = await command_line(here, "unlink", listed[0]["id"])

    assert len(status) == 1
    assert ended.code == 0, ended.stderr
    await with_links(here, 0)


async def test_doctor_finds_nothing_wrong(here: World) -> None:
    found = await command_line(here, "doctor", "--json")

    assert found.code == 0, found.stdout


async def with_links(here: World, count: int) -> None:
    listed = await command_line(here, "links", "--json")
    assert len(json.loads(listed.stdout)) == count, listed.stdout
