"""People as commands name them: by a mention, or by a platform's id."""

import re

# As Slack writes mentions, and as ATOM writes those of Teams.
_MENTION = re.compile(r"<@([^\s|<>]+)(?:\|[^<>]*)?>")


def mentioned(text: str) -> str:
    """Return the account that a text mentions and says no more; empty if it does not."""
    found = _MENTION.fullmatch(text.strip())
    return found[1] if found else ""


def account_named(word: str) -> str:
    """Return the account that a mention or an id means."""
    return mentioned(word) or word.removeprefix("@")
