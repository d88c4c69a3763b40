"""Slack's names of reactions, and the emoji that they mean."""

from functools import lru_cache

from emoji import EMOJI_DATA, demojize, is_emoji

from bots.slack.emoji_names import SLACK_NAMES, character
from bridge.emoji import custom, name_of, standard

# What Slack's own picker calls them, where several names lead to one emoji.
_PREFERRED = {
    "👍": "+1",
    "👎": "-1",
    "❤️": "heart",
    "🎉": "tada",
    "😂": "joy",
    "😆": "laughing",
    "😮": "open_mouth",
    "😢": "cry",
    "🙁": "slightly_frowning_face",
    "😠": "angry",
    "🙏": "pray",
    "👏": "clap",
    "✅": "white_check_mark",
    "🚀": "rocket",
    "👀": "eyes",
    "🔥": "fire",
}
_REGIONAL_A = 0x1F1E6
_TONES = "🏻🏼🏽🏾🏿"


def emoji_of(name: str) -> str:
    """Return the emoji that a reaction of this name is, or the name in colons."""
    return standard(character(name)) or custom(name)


def names_for(emoji: str) -> tuple[str, ...]:
    """
    Return the names under which Slack may know an emoji, the likeliest first.

    Each of them leads back to the same emoji. A company's own emoji keeps its name.
    """
    if name := name_of(emoji):
        return (name,)
    return _names_for(emoji)


@lru_cache(maxsize=4096)
def _names_for(emoji: str) -> tuple[str, ...]:
    tones = [tone for tone in emoji if tone in _TONES]
    if len(tones) == 1 and (base := standard(emoji.replace(tones[0], ""))):
        tone = _TONES.index(tones[0]) + 2
        toned = [f"{name}::skin-tone-{tone}" for name in _names_for(base)]
        return tuple(name for name in toned if emoji_of(name) == emoji)
    known = EMOJI_DATA.get(emoji, {})
    told = [_PREFERRED.get(emoji, ""), _flag(emoji), *_own_names().get(emoji, ())]
    told += [alias.strip(":") for alias in known.get("alias", ())]
    if is_emoji(emoji):
        told.append(demojize(emoji).strip(":").lower())
    return tuple(n for n in dict.fromkeys(told) if n and emoji_of(n) == emoji)


def _flag(emoji: str) -> str:
    """Return the name of a country's flag, two regional letters: flag-at."""
    letters = "".join(chr(max(0, ord(each) - _REGIONAL_A + ord("a"))) for each in emoji)
    country = len(letters) == len("at") and letters.isascii() and letters.isalpha()
    return f"flag-{letters}" if country else ""


@lru_cache(maxsize=1)
def _own_names() -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for name, char in SLACK_NAMES.items():
        emoji = standard(char)
        names[emoji] = (*names.get(emoji, ()), name)
    return names
