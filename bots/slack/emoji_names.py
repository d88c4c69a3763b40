"""The characters behind Slack's emoji names."""

import re
from functools import lru_cache

from emoji import emojize, is_emoji

_TONE = re.compile(r"(.+?)::skin-tone-([2-6])")
_TONES = frozenset("🏻🏼🏽🏾🏿")
_FLAG = re.compile(r"flag-([a-z]{2})")
_GENDERED = re.compile(r"(female|male|woman|women|man|men)[-_](.+)")
_FAMILY = {
    "man": "👨",
    "woman": "👩",
    "boy": "👦",
    "girl": "👧",
    "heart": "❤️",
    "kiss": "❤️‍💋",
}
# Where Slack's names differ from those that the emoji library knows.
SLACK_NAMES = {
    "barely_sunny": "🌥️",
    "beetle": "🪲",
    "blond-haired-man": "👱‍♂️",
    "blond-haired-woman": "👱‍♀️",
    "bride_with_veil": "👰",
    "drum_with_drumsticks": "🥁",
    "egg": "🥚",
    "eject": "⏏️",
    "email": "✉️",
    "eye-in-speech-bubble": "👁️‍🗨️",
    "face_palm": "🤦",
    "face_with_cowboy_hat": "🤠",
    "face_with_finger_covering_closed_lips": "🤫",
    "face_with_one_eyebrow_raised": "🤨",
    "face_with_open_mouth_vomiting": "🤮",
    "female-doctor": "👩‍⚕️",
    "fencer": "🤺",
    "first_place_medal": "🥇",
    "giraffe_face": "🦒",
    "grinning_face_with_one_large_and_one_small_eye": "🤪",
    "grinning_face_with_star_eyes": "🤩",
    "guardsman": "💂",
    "hand_with_index_and_middle_fingers_crossed": "🤞",
    "handball": "🤾",
    "i_love_you_hand_sign": "🤟",
    "juggling": "🤹",
    "keycap_star": "*️⃣",
    "kiwifruit": "🥝",
    "knife_fork_plate": "🍽️",
    "ladybug": "🐞",
    "large_blue_square": "🟦",
    "large_brown_circle": "🟤",
    "large_brown_square": "🟫",
    "large_green_circle": "🟢",
    "large_green_square": "🟩",
    "large_orange_circle": "🟠",
    "large_orange_square": "🟧",
    "large_purple_circle": "🟣",
    "large_purple_square": "🟪",
    "large_red_square": "🟥",
    "large_yellow_circle": "🟡",
    "large_yellow_square": "🟨",
    "lightning": "🌩️",
    "lightning_cloud": "🌩️",
    "male-doctor": "👨‍⚕️",
    "man_and_woman_holding_hands": "👫",
    "man_with_turban": "👳",
    "mate_drink": "🧉",
    "medal": "🎖️",
    "mostly_sunny": "🌤️",
    "mother_christmas": "🤶",
    "octagonal_sign": "🛑",
    "ok_woman": "🙆",
    "partly_sunny_rain": "🌦️",
    "pencil": "📝",
    "person_doing_cartwheel": "🤸",
    "person_with_headscarf": "🧕",
    "post_office": "🏣",
    "rain_cloud": "🌧️",
    "rainbow-flag": "🏳️‍🌈",
    "satellite": "🛰️",
    "scooter": "🛴",
    "second_place_medal": "🥈",
    "serious_face_with_symbols_covering_mouth": "🤬",
    "shocked_face_with_exploding_head": "🤯",
    "shopping_trolley": "🛒",
    "simple_smile": "🙂",
    "skin-tone-2": "🏻",
    "skin-tone-3": "🏼",
    "skin-tone-4": "🏽",
    "skin-tone-5": "🏾",
    "skin-tone-6": "🏿",
    "smiling_face_with_3_hearts": "🥰",
    "smiling_face_with_smiling_eyes_and_hand_covering_mouth": "🤭",
    "snow_cloud": "🌨️",
    "snowman": "☃️",
    "spock-hand": "🖖",
    "staff_of_aesculapius": "⚕️",
    "sun_behind_cloud": "🌥️",
    "sun_small_cloud": "🌤️",
    "sunglasses": "😎",
    "the_horns": "🤘",
    "third_place_medal": "🥉",
    "tornado_cloud": "🌪️",
    "umbrella": "☂️",
    "whale": "🐳",
    "woman-heart-woman": "👩‍❤️‍👩",
    "womans_flat_shoe": "🥿",
    "wrestlers": "🤼",
    "zebra_face": "🦓",
}


@lru_cache(maxsize=4096)
def character(name: str) -> str:
    """Return the emoji of that name, or nothing for a custom or unknown name."""
    if toned := _TONE.fullmatch(name):
        base = character(toned[1])
        return with_tone(base, int(toned[2])) if base else ""
    if flag := _FLAG.fullmatch(name):
        char = "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in flag[1])
        return char if is_emoji(char) else ""
    return SLACK_NAMES.get(name) or _known(name) or _family(name) or _gendered(name)


def with_tone(char: str, tone: int) -> str:
    """Return the emoji in Slack's skin tone 2 to 6, unless it has one already."""
    if tone not in range(2, 7) or _TONES.intersection(char):
        return char
    modifier = chr(0x1F3FB + tone - 2)
    return char[:1] + modifier + char[1:].removeprefix("\ufe0f")


def _known(name: str) -> str:
    char = emojize(f":{name}:", language="alias")
    return "" if char == f":{name}:" else char


def _family(name: str) -> str:
    people = [_FAMILY.get(each, "") for each in name.split("-")]
    return "\u200d".join(people) if len(people) > 1 and all(people) else ""


def _gendered(name: str) -> str:
    """Slack writes male-cook and woman-biking for man_cook and woman_biking."""
    match = _GENDERED.fullmatch(name)
    if not match:
        return ""
    woman, role = match[1] in {"female", "woman", "women"}, match[2].replace("-", "_")
    if char := _known(f"{'woman' if woman else 'man'}_{role}"):
        return char
    base = _known(role)
    return base + ("\u200d♀️" if woman else "\u200d♂️") if base else ""
