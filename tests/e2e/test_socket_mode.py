"""Where Slack may not call in, everything crosses over a socket that ATOM opens."""

from pathlib import Path

from bots.sandbox.slack import seed
from tests.e2e.world import FALCON, slack_texts, teams_texts, world


async def test_messages_and_commands_cross_without_any_call_from_slack(
    tmp_path: Path,
) -> None:
    socket = {
        "ATOM_SLACK_SIGNING_SECRET": "",
        "ATOM_SLACK_APP_TOKEN": seed.APP_TOKEN,
    }
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db", **socket) as here:
        await here.link()
        await here.start()
        await here.slack("post", text="through the socket")
        await here.teams("post", text="and back")

        await here.until(
            lambda s: (
                any("through the socket" in t for t in teams_texts(s))
                and "and back" in slack_texts(s)
            )
        )
        answer = await here._act(
            "slack",
            {
                "workspace": "T01ACME",
                "user": "U01ALICE",
                "channel": FALCON.id,
                "action": "command",
                "command": "/atom",
                "args": "help",
            },
        )

        assert answer["ok"]
        assert "/atom link" in str(answer)
