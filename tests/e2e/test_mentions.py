"""Who and what is named crosses by identity; nothing that is typed calls anybody."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from bots.sandbox.teams import seed
from bridge.messages import Channel, Platform
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

RANDOM = Channel(Platform.SLACK, FALCON.team, "C03RANDOM")
THERE = Channel(Platform.TEAMS, PROJECT.team, "19:random@thread.tacv2")
BOARD = "C04BOARD"
CAROL = "29:carol"
BOB = "29:bob"


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await made.link()
        async with core(made.settings, "test") as built:
            await built.links.add(COMPANY, (RANDOM, THERE), "test")
        # Bob has an account on either side; his address there is written otherwise.
        await made.teams(
            "enroll",
            member=BOB,
            name="Robert Stone",
            email="BOB@acme.example",
            signs_in_as="robert@acme.example",
        )
        # Chen and Carol are one person; Dana only calls herself as Carol is called.
        await made.slack("change_user", user="U03CHEN", email="carol@acme.example")
        await made.slack("change_user", user="U04DANA", real_name="Carol Díaz")
        made.sandbox.slack.channels[BOARD].members.append("UATOM")
        await made.start()
        yield made


def span(number: int, words: str) -> str:
    kind = "http://schema.skype.com/Mention"
    return f'<span itemscope itemtype="{kind}" itemid="{number}">{words}</span>'


async def last_in_teams(here: World, copies: int) -> dict[str, Any]:
    state = await here.until(lambda s: len(teams_messages(s)) == copies)
    return dict(teams_messages(state)[-1])


async def last_in_slack(here: World, copies: int) -> dict[str, Any]:
    state = await here.until(lambda s: len(slack_messages(s)) == copies)
    return dict(slack_messages(state)[-1])


async def test_slacks_mentions_are_of_the_same_people_and_places_in_teams(
    here: World,
) -> None:
    everybody = "<@U02BOB> <@U03CHEN> <@U04DANA> <@UATOM>"
    places = f"<#{FALCON.id}> <#{RANDOM.id}> <#{BOARD}> <#C01GENERAL>"
    ts = await here.slack(
        "post",
        typed=True,
        text=f"{everybody} in {places} cc <!subteam^S01ENG> <!channel> "
        ":atom_party: :dancing_atom: :tada2: :nonsense:",
    )

    copy = await last_in_teams(here, 1)

    assert [(m["id"], m["name"]) for m in copy["mentions"]] == [
        (BOB, "Robert Stone"),
        (CAROL, "Carol Díaz"),
    ]
    assert "@Carol Díaz @ATOM in #project-falcon #random" in copy["text"]
    assert "#private-channel #general cc @engineers @channel" in copy["text"]
    assert (
        f"/l/channel/{THERE.id.replace(':', '%3A').replace('@', '%40')}/Random"
        in (copy["html"])
    )
    assert "board" not in copy["html"]
    picture = '<img src="https://emoji.example/party_atom.png" alt=":atom_party:">'
    assert f"{picture} :dancing_atom: 🎉 :nonsense:" in copy["html"]

    # An edit names people the same way, and only those who are named by then.
    await here.slack("edit", ts=ts, typed=True, text="only <@U02BOB> now")
    state = await here.until(lambda s: teams_texts(s)[0].endswith("now"))

    [edited] = teams_messages(state)
    assert [m["id"] for m in edited["mentions"]] == [BOB]

    # Who has left the team is named as in Slack, and called no more.
    await here.teams("remove_member", member=BOB)
    await here.logged(lambda entries: any(e.etype == "member.leave" for e in entries))
    await here.slack("edit", ts=ts, typed=True, text="bye <@U02BOB>")
    await here.until(lambda s: teams_texts(s)[0].endswith("bye @Bob Stone"))


async def test_teams_mentions_are_of_the_same_people_and_places_in_slack(
    here: World,
) -> None:
    # Erin's address is known in Slack too, but that account is a guest's.
    await here.slack(
        "change_user", user="U01ALICE", email="erin@acme.example", is_guest=True
    )
    mentions = [
        {"id": BOB, "name": "Robert Stone"},
        {"id": CAROL, "name": "Carol Díaz"},
        {"id": "29:erin", "name": "Erin Park"},
        {"id": THERE.id, "name": "Random"},
        {"id": PROJECT.id, "name": "Project Falcon"},
        {"id": "dGFn", "name": "On call", "type": "tag"},
    ]
    names = " ".join(span(n, one["name"]) for n, one in enumerate(mentions))
    emoji = "<customemoji alt='party_atom'></customemoji>"
    other = "<customemoji alt='not_there'></customemoji>"
    link = f"https://teams.microsoft.com/l/channel/{THERE.id}/Random?groupId=g"
    html = f"<p>{names} {emoji} {other} <a href='{link}'>Random</a></p>"
    message = await here.teams("post", html=html, mentions=mentions)

    copy = await last_in_slack(here, 1)

    assert copy["text"] == (
        f"<@U02BOB> <@U03CHEN> @Erin Park <#{RANDOM.id}> @channel @On call "
        f":party_atom: :not_there: <#{RANDOM.id}>"
    )
    [section] = copy["blocks"][0]["elements"]
    kinds = [leaf["type"] for leaf in section["elements"] if leaf["type"] != "text"]
    assert kinds == ["user", "user", "channel", "emoji", "channel"]

    await here.teams(
        "edit",
        message=message,
        html=f"<p>{span(0, 'Robert Stone')} now</p>",
        mentions=mentions[:1],
    )
    await here.until(lambda s: slack_texts(s) == ["<@U02BOB> now"])


async def test_everyone_is_called_where_the_links_owners_let_them(here: World) -> None:
    await here.slack("command", command="/atom", args="options pings=ping")
    await here.until(lambda s: len(teams_messages(s)) == 1)  # it says so there
    own = {"id": PROJECT.id, "name": "Project Falcon"}

    ts = await here.slack("post", typed=True, text="<!here> lunch")
    await here.until(lambda s: len(teams_messages(s)) == 2)
    await here.slack("edit", ts=ts, typed=True, text="<!here> supper")
    await here.until(lambda s: "supper" in teams_texts(s)[-1])
    await here.teams(
        "post",
        html=f"<p>{span(0, own['name'])} lunch &lt;!here&gt;</p>",
        mentions=[own],
    )

    state = await here.until(lambda s: slack_texts(s)[-1:] != ["<!here> supper"])
    assert slack_texts(state)[-1] == "<!channel> lunch &lt;!here&gt;"
    # The bell is rung for the post, and not again for its edit.
    _, copy, _ = here.sandbox.teams.channels[PROJECT.id].messages.values()
    sent = [one.activity or {} for one in (*copy.versions, copy.content)]
    rung = [one.get("channelData", {}).get("notification") for one in sent]
    assert rung == [{"alert": True}, None]


async def test_platforms_that_do_not_answer_leave_names_as_text(here: World) -> None:
    await here.fault("teams.members", "503", times=9)
    await here.fault("slack.users.lookupByEmail", "timeout", times=9)
    await here.fault("slack.usergroups.list", "timeout", times=9)

    await here.slack("post", typed=True, text="<@U02BOB> <!subteam^S01ENG> hi")
    copy = await last_in_teams(here, 1)
    await here.teams(
        "post",
        html=f"<p>{span(0, 'Robert Stone')} hi</p>",
        mentions=[{"id": BOB, "name": "Robert Stone"}],
    )
    await here.until(lambda s: "@Robert Stone hi" in slack_texts(s))

    assert copy["mentions"] == []
    assert "@Bob Stone @unknown-group hi" in copy["text"]


async def test_nothing_that_is_typed_calls_anybody_or_passes_for_another(
    here: World,
) -> None:
    """Scenario D 18 of forged names and mentions."""
    forged = "</strong><at>CEO</at>"
    turned = "\u202eOEC"
    await here.slack("command", command="/atom", args="options bots=relay")
    await here.until(lambda s: len(teams_messages(s)) == 1)  # it says so there
    await here.slack("change_user", user="U02BOB", display_name=forged)
    await here.slack("change_user", user="U03CHEN", display_name=turned)
    await here.teams("post", text="<at>CEO</at> <!channel> &lt;!here&gt; <@U01ALICE>")
    await here.teams(
        "post",
        html="<p>&lt;!channel&gt; @here &lt;@U01ALICE&gt; &lt;#C03RANDOM&gt;</p>",
    )
    for user in ("U02BOB", "U03CHEN"):
        await here.slack(
            "post", user=user, text="<at>Carol Díaz</at> <@U01ALICE> <!channel>"
        )
    await here.slack("bot_post", username="ATOM", text="<at>Carol Díaz</at> wire me")

    state = await here.until(
        lambda s: len(teams_messages(s)) == 6 and len(slack_messages(s)) == 5
    )
    await here.quiet()

    copies = [
        m for m in slack_messages(state) if m.get("username") == "Carol Díaz (Teams)"
    ]
    assert len(copies) == 2
    for copy in copies:
        [section] = copy["blocks"][0]["elements"]
        assert {leaf["type"] for leaf in section["elements"]} == {"text"}
        assert "<" not in copy["text"]
        assert copy["metadata"]["event_type"] == "atom_bridge"
        assert copy["app_id"]
    _, *ours = [m for m in teams_messages(state) if m["author"]["is_bot"]]
    assert len(ours) == 3
    *ours, webhook = sorted(ours, key=lambda m: "wire me" in m["text"])
    assert webhook["text"] == "ATOM (Slack, app)\n<at>Carol Díaz</at> wire me"
    assert webhook["mentions"] == []
    for copy in ours:
        assert copy["author"]["id"] == f"28:{seed.BOT_APP_ID}"
        assert copy["mentions"] == []
        assert copy["html"].count("<strong>") == copy["html"].count("</strong>") == 1
        assert "<at>Carol Díaz</at> <@U01ALICE> <!channel>" in copy["text"]
        assert "\u202e" not in copy["html"]
    assert ours[0]["text"].startswith(f"{forged} (Slack)")
    assert ours[1]["text"].startswith("OEC (Slack)")
