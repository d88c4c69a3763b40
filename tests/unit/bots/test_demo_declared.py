"""The demo declares to its Slack and Teams what the manifests say."""

from bots.demo_declared import declared
from bots.slack.interactions import REACTIONS as WHO_REACTED
from bots.slack.record_asked import FROM_MESSAGE, NEW
from bots.teams.record_asked import CREATE, REACTIONS, SEARCH


def test_the_demo_offers_what_atom_answers() -> None:
    told = declared(
        "https://atom.example", "6f2d0f8a-0d0e-4f0e-9d51-2f6b7c1f1a02", ["x"]
    )

    assert {one["callback_id"] for one in told["slack.shortcuts"]} == {
        FROM_MESSAGE,
        NEW,
        WHO_REACTED,
    }
    assert {one["id"] for one in told["teams.extension_commands"]} == {
        SEARCH,
        CREATE,
        REACTIONS,
    }
    assert "service-now.com" in told["slack.link_domains"]
    assert "service-now.com" in told["teams.link_domains"]
    assert "x" in told["slack.link_domains"]
