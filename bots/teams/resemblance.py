"""
Whether a message that stands in Teams may be a copy whose answer was lost.

What a copy said exactly depends on what was known when it was sent: the author's name,
who a mentioned person is here, what a custom emoji looks like. The words around these
do not change.
"""

import re
from collections.abc import Sequence

from bots.teams.content import comparable, header
from bots.teams.html_out import render
from bridge.attribution import MARK
from bridge.delivery import Post
from bridge.document import (
    ChannelMention,
    ChannelName,
    Document,
    Emoji,
    GroupMention,
    Mention,
    Names,
    PersonName,
)
from bridge.mentions import leaves

_ANYTHING = "\ufffc"
_NAMED = re.compile(f"[@#]?{_ANYTHING}")


def resembles(html: str, post: Post) -> bool:
    """Say whether a message says what the post says, whoever and whatever it names."""
    said = comparable(html)
    return any(
        _in_order(_stretches(post, document), said)
        for document in (post.document, *post.earlier)
    )


def _stretches(post: Post, document: Document) -> Sequence[str]:
    """Return the words that stand whatever is known; the header, if there are none."""
    body = comparable(render(document, _masked(document))[0])
    stretches = [each for each in _NAMED.split(body) if each]
    if stretches or not body:
        return stretches
    # Whether somebody is confirmed may have been known otherwise by then.
    who = comparable(header(post.author, post.source, confirmed=post.confirmed))
    return [each for each in who.split(MARK) if each]


def _masked(document: Document) -> Names:
    people, channels, groups, emoji = {}, {}, {}, {}
    for leaf in leaves(document):
        match leaf:
            case Mention(id=id_):
                people[id_] = PersonName(_ANYTHING)
            case ChannelMention(id=id_):
                channels[id_] = ChannelName(_ANYTHING)
            case GroupMention(id=id_):
                groups[id_] = _ANYTHING
            case Emoji(name=name, char=""):
                emoji[name] = _ANYTHING
    return Names(people, channels, groups, emoji=emoji)


def _in_order(stretches: Sequence[str], said: str) -> bool:
    at = 0
    for stretch in stretches:
        found = said.find(stretch, at)
        if found < 0:
            return False
        at = found + len(stretch)
    return bool(stretches)
