"""A message as a row of posts, each no heavier than its platform takes."""

from collections.abc import Callable
from dataclasses import replace

from bridge.cutting import cut
from bridge.delivery import Post
from bridge.document import (
    ChannelMention,
    ChannelName,
    Document,
    Emoji,
    GroupMention,
    Mention,
    Names,
    Paragraph,
    PersonName,
    Style,
    Text,
)
from bridge.mentions import leaves
from bridge.messages import Person

# What a character can become at most: an entity of six, each of two bytes.
_WORST = 12
_LEAF, _BLOCK = 250, 10
_MOST = 999
_NAME, _AUTHOR, _ADDRESS = 40, 80, 100


def in_parts(
    post: Post, weigh: Callable[[Post], int], budget: int
) -> tuple[Document, ...]:
    """
    Return a post's document in parts that weigh no more than the budget each.

    Names count as if all were equally long, and notes as if there were one: what
    people are called, and whether that can be found out now, must not move the places
    where the text is cut. Each part is edited by itself, and together they always have
    to make the whole.
    """
    if _is_short(post.document, budget):
        return (post.document,)
    like = _measured(post)
    if weigh(like) <= budget:
        return (post.document,)
    longest = _mark(1, _MOST, "")
    parts = cut(
        post.document,
        lambda part: weigh(replace(like, document=_marked(part, longest))),
        budget,
    )
    if len(parts) == 1:
        return parts
    return tuple(
        _marked(part, _mark(number, len(parts), post.thread))
        for number, part in enumerate(parts, 1)
    )


def _is_short(document: Document, budget: int) -> bool:
    """Whether it surely fits, at a glance: almost everything that people write does."""
    room = budget // _WORST
    for block in document.blocks:
        if not isinstance(block, Paragraph):
            return False
        room -= _BLOCK
        for leaf in block.content:
            room -= len(leaf.text) if isinstance(leaf, Text) else _LEAF
    return room >= 0


def _measured(post: Post) -> Post:
    name, address = "n" * _NAME, "https://" + "a" * _ADDRESS
    people, channels, groups, emoji = {}, {}, {}, {}
    for leaf in leaves(post.document):
        match leaf:
            case Mention(id=id_):
                people[id_] = PersonName(name, name, name)
            case ChannelMention(id=id_):
                channels[id_] = ChannelName(name, address)
            case GroupMention(id=id_):
                groups[id_] = name
            case Emoji(name=short, char=""):
                emoji[short] = address
    return replace(
        post,
        people={},
        names=Names(people, channels, groups, emoji),
        author=Person(post.source.platform, "", "n" * _AUTHOR),
        workspace="w" * _NAME,
        note="n" * _AUTHOR,
        reactions=(),
        files=(),
    )


def _mark(number: int, count: int, thread: str) -> str:
    if number > 1:
        return f"({number}/{count})"
    rest = "follows" if thread else "is in the thread"
    return f"({number}/{count}, the rest {rest})"


def _marked(document: Document, mark: str) -> Document:
    line = Paragraph((Text(mark, (Style.ITALIC,)),))
    return Document((*document.blocks, line))
