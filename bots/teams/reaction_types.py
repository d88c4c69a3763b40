"""Teams' ids of reactions, and the emoji that they mean."""

import re
from functools import lru_cache

from bridge.emoji import custom, name_of, standard

# Teams names most reactions by code point and name, and these by a word alone.
_WORDS = {
    "like": "👍",
    "heart": "❤️",
    "laugh": "😆",
    "surprised": "😮",
    "sad": "🙁",
    "angry": "😠",
    "angel": "😇",
    "angryface": "😡",
    "blankface": "😶",
    "bomb": "💣",
    "brokenheart": "💔",
    "call": "🤙",
    "clap": "👏",
    "confused": "😕",
    "cool": "😎",
    "cry": "😢",
    "crossedfingers": "🤞",
    "cwl": "😂",
    "devil": "😈",
    "disappointed": "😞",
    "expressionless": "😑",
    "facepalm": "🤦",
    "fearful": "😨",
    "ghost": "👻",
    "giggle": "🤭",
    "grinningfacewithsmilingeyes": "😄",
    "headphones": "🎧",
    "heartblack": "🖤",
    "heartblue": "💙",
    "heartbrown": "🤎",
    "hearteyes": "😍",
    "heartgreen": "💚",
    "heartorange": "🧡",
    "heartpurple": "💜",
    "heartwhite": "🤍",
    "heartyellow": "💛",
    "holdon": "⌛",
    "idea": "💡",
    "ill": "🤒",
    "inlove": "🥰",
    "kiss": "😗",
    "launch": "🚀",
    "lips": "💋",
    "lipssealed": "🤫",
    "loudlycrying": "😭",
    "loveletter": "💌",
    "meltingface": "🫠",
    "nerdy": "🤓",
    "ok": "👌",
    "party": "🥳",
    "pensive": "😔",
    "pointdownindex": "👇",
    "pointleftindex": "👈",
    "pointrightindex": "👉",
    "poop": "💩",
    "puke": "🤮",
    "punch": "🥊",
    "relieved": "😌",
    "rofl": "🤣",
    "salute": "🫡",
    "screamingfear": "😱",
    "selfie": "🤳",
    "shivering": "🥶",
    "skull": "💀",
    "sleepingface": "😴",
    "sleepy": "😪",
    "smile": "🙂",
    "smileeyes": "😊",
    "smirk": "😏",
    "sparklingheart": "💖",
    "speechless": "😐",
    "stareyes": "🤩",
    "swear": "🤬",
    "sweat": "😓",
    "sweatgrinning": "😅",
    "thewave1": "🙌",
    "think": "🤔",
    "tongueout": "😋",
    "twohearts": "💕",
    "unamused": "😒",
    "upsidedownface": "🙃",
    "victory": "✌️",
    "vulcansalute": "🖖",
    "weary": "😩",
    "wink": "😉",
    "winktongueout": "😜",
    "wonder": "🤨",
    "worry": "😧",
}
# Of the others, those that people choose most.
_NAMED = (
    "1f389_partypopper",
    "1f440_eyes",
    "1f44b_wavinghand",
    "1f44c_okhand",
    "1f4a4_zzz",
    "1f4a5_collisionsymbol",
    "1f4a6_splashingsweatsymbol",
    "1f4a8_dashsymbol",
    "1f4af_hundredpointssymbol",
    "1f4cc_pushpin",
    "1f601_beamingfacewithsmilingeyes",
    "1f603_grinningfacewithbigeyes",
    "1f618_facethrowingakiss",
    "1f62c_grimacingface",
    "1f632_astonishedface",
    "1f911_moneymouthface",
    "1f917_huggingface",
    "1f91f_loveyougesture",
    "1f920_facewithcowboyhat",
    "1f92a_zanyface",
    "1f92f_explodinghead",
    "1f975_hotface",
    "1f97a_pleadingface",
    "270b_raisedhand",
    "2705_whiteheavycheckmark",
    "274c_crossmark",
)
_CODED = re.compile(r"([0-9a-f]{2,6}(?:[-_][0-9a-f]{4,6})*)_[a-z0-9]+", re.ASCII)
_TONED = re.compile(r"(.+)-tone([1-5])", re.ASCII)
_TONES = "🏻🏼🏽🏾🏿"
_HAVE_TONES = frozenset(
    {"like", "call", "clap", "crossedfingers", "facepalm", "ok", "selfie", "victory"}
    | {"vulcansalute", "pointdownindex", "pointleftindex", "pointrightindex"}
    | {"1f44b_wavinghand", "1f91f_loveyougesture", "270b_raisedhand"}
)


@lru_cache(maxsize=4096)
def emoji_of(kind: str) -> str:
    """
    Return the emoji that a reaction of this id is, or its id in colons.

    Graph names some by the character itself.
    """
    if itself := standard(kind):
        return itself
    if toned := _TONED.fullmatch(kind):
        base, tone = emoji_of(toned[1]), _TONES[int(toned[2]) - 1]
        if not name_of(base):
            return standard(base[:1] + tone + base[1:]) or base
    if word := _WORDS.get(kind):
        return standard(word)
    if coded := _CODED.fullmatch(kind):
        return standard(_characters(coded[1])) or custom(kind)
    return custom(kind)


def kind_of(emoji: str) -> str:
    """Return the id under which Teams takes an emoji, or nothing if none is known."""
    if emoji in _kinds():
        return _kinds()[emoji]
    for number, tone in enumerate(_TONES, 1):
        kind = _kinds().get(standard(emoji.replace(tone, "")), "")
        if tone in emoji and kind in _HAVE_TONES:
            return f"{kind}-tone{number}"
    return ""


@lru_cache(maxsize=1)
def _kinds() -> dict[str, str]:
    kinds: dict[str, str] = {}
    for kind in (*_WORDS, *_NAMED):
        kinds.setdefault(emoji_of(kind), kind)
    return kinds


def _characters(code: str) -> str:
    try:
        return "".join(chr(int(part, 16)) for part in re.split("[-_]", code))
    except ValueError:
        return ""
