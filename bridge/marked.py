"""Styles shown by characters around the words, as Slack's mrkdwn and Markdown do."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from bridge.document import Inline, Style, Styles, Text

_Run = tuple[str, Styles]
_Group = tuple[Style | None, str]


def marked(
    leaves: Iterable[Inline],
    marks: Mapping[Style, str],
    show: Callable[[Inline], str],
) -> str:
    """
    Return the leaves with marks around what is styled.

    Marks hug the words, end with the line, and are left out where they could not be
    read back: inside a word, around nothing, and around code that holds a backtick.
    """
    lines = [
        [(show(leaf), leaf.styles) for leaf in line if not _is_empty(leaf)]
        for line in _lines(leaves)
    ]
    return "\n".join(_marked(line, 0, marks) for line in lines)


def _lines(leaves: Iterable[Inline]) -> Iterator[list[Inline]]:
    line: list[Inline] = []
    for leaf in leaves:
        if not isinstance(leaf, Text) or "\n" not in leaf.text:
            line.append(leaf)
            continue
        first, *others = leaf.text.split("\n")
        line.append(replace(leaf, text=first))
        for text in others:
            yield line
            line = [replace(leaf, text=text)]
    yield line


def _is_empty(leaf: Inline) -> bool:
    return isinstance(leaf, Text) and not leaf.text


def _marked(runs: Sequence[_Run], depth: int, marks: Mapping[Style, str]) -> str:
    groups: list[_Group] = []
    for style, group in groupby(runs, key=lambda run: _style(run, depth)):
        if style is None:
            groups.append((None, "".join(text for text, _ in group)))
        else:
            groups.append((style, _marked(list(group), depth + 1, marks)))
    return "".join(
        text if style is None else _wrapped(groups, n, marks[style])
        for n, (style, text) in enumerate(groups)
    )


def _style(run: _Run, depth: int) -> Style | None:
    return run[1][depth] if depth < len(run[1]) else None


def _wrapped(groups: Sequence[_Group], n: int, mark: str) -> str:
    style, text = groups[n]
    inner = text.strip()
    if not inner or (style is Style.CODE and "`" in inner):
        return text
    start = text.index(inner)
    before, after = text[:start], text[start + len(inner) :]
    if not before and n and _in_word(groups[n - 1], -1):
        return text
    if not after and n + 1 < len(groups) and _in_word(groups[n + 1], 0):
        return text
    return f"{before}{mark}{inner}{mark}{after}"


def _in_word(neighbour: _Group, position: int) -> bool:
    style, text = neighbour
    return style is None and text[position : position + 1 or None].isalnum()
