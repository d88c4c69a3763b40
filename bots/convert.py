"""What `atom convert` does: one message's text, as the other platform would show it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from bots.slack import rich_text
from bots.teams import html_in, html_out
from bridge.document import ChannelName, Names, PersonName
from bridge.errors import BadInput


class Direction(StrEnum):
    """From where to where."""

    SLACK_TO_TEAMS = "slack_to_teams"
    TEAMS_TO_SLACK = "teams_to_slack"


def convert(direction: str, case: Mapping[str, Any]) -> dict[str, Any]:
    """
    Convert `case["input"]`, knowing the names in `case["context"]`.

    Towards Teams the answer holds `textFormat`, `text` and, if anybody is mentioned,
    `entities`; towards Slack `text`, `blocks` and, if there are any, `files`. Raises
    `BadInput` if there is no input.
    """
    given, context = case.get("input"), case.get("context") or {}
    if not isinstance(given, Mapping):
        raise BadInput('"input" is missing or no object')
    if not isinstance(context, Mapping):
        raise BadInput('"context" is no object')
    if direction.replace("-", "_") == Direction.SLACK_TO_TEAMS:
        return _to_teams(given, context)
    if direction.replace("-", "_") == Direction.TEAMS_TO_SLACK:
        return _to_slack(given, context)
    raise BadInput(f"'{direction}' is no direction: {' or '.join(Direction)}")


def _to_teams(given: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    document = rich_text.parse_message(given)
    html, entities = html_out.render(document, slack_names(context))
    converted: dict[str, Any] = {"textFormat": "xml", "text": html}
    return {**converted, "entities": entities} if entities else converted


def _to_slack(given: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(html := given.get("html"), str):
        document, files = html_in.parse_html(html, given.get("entities"))
    else:
        document, files = html_in.parse_activity(given)
    text, blocks = rich_text.render(document, teams_names(context))
    converted: dict[str, Any] = {"text": text, "blocks": blocks}
    if files:
        converted["files"] = [
            {
                "source_url": file.url,
                "kind": "image" if file.mime.startswith("image/") else "file",
            }
            for file in files
        ]
    return converted


def slack_names(context: Mapping[str, Any]) -> Names:
    """Read what is known of the ids in a Slack message."""
    return Names(
        people={
            account: _person(known)
            for account, known in _objects(context, "slack_users")
        },
        channels={
            channel: _channel(known)
            for channel, known in _objects(context, "slack_channels")
        },
        groups=_strings(context, "usergroups"),
        custom_emoji=_strings(context, "custom_emoji"),
        emoji={
            name: char
            for name, points in _strings(context, "emoji").items()
            if (char := _character(points))
        },
    )


def teams_names(context: Mapping[str, Any]) -> Names:
    """Read who the people in a Teams message are in Slack."""
    return Names(
        people={
            account: PersonName(target=target)
            for account, target in _strings(context, "teams_users").items()
        }
    )


def _person(known: Mapping[str, Any]) -> PersonName:
    there = known.get("teams")
    if not isinstance(there, Mapping):
        return PersonName(_string(known, "name"))
    return PersonName(
        _string(known, "name"), _string(there, "id"), _string(there, "name")
    )


def _channel(known: Mapping[str, Any]) -> ChannelName:
    channel = _string(known, "teams_channel")
    if not channel:
        return ChannelName(_string(known, "name"))
    url = html_out.channel_url(
        channel,
        _string(known, "teams_name"),
        group=_string(known, "groupId"),
        tenant=_string(known, "tenantId"),
    )
    return ChannelName(_string(known, "name"), url)


def _objects(
    context: Mapping[str, Any], key: str
) -> list[tuple[str, Mapping[str, Any]]]:
    given = context.get(key)
    pairs = given.items() if isinstance(given, Mapping) else ()
    return [(id_, known) for id_, known in pairs if isinstance(known, Mapping)]


def _strings(context: Mapping[str, Any], key: str) -> dict[str, str]:
    given = context.get(key)
    pairs = given.items() if isinstance(given, Mapping) else ()
    return {name: value for name, value in pairs if isinstance(value, str)}


def _string(known: Mapping[str, Any], key: str) -> str:
    value = known.get(key)
    return value if isinstance(value, str) else ""


def _character(points: str) -> str:
    try:
        return "".join(chr(int(point, 16)) for point in points.split("-"))
    except (OverflowError, ValueError):
        return ""
