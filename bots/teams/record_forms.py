"""
Ask for input in an Adaptive Card, and read what was entered.

Teams has no way to hear of a choice before a button is pressed: where the choices of
one input depend on another, a second button draws the card anew. A card carries nothing
but an opaque token.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never

from bots.teams.adaptive import Json, line, size, weigh, whole
from bots.teams.record_cards import BUDGET, TOKEN, VERB_PREFIX
from bridge.records import wording
from bridge.records.asking import (
    BLANK,
    LONGEST,
    NO,
    YES,
    YES_LABEL,
    Filled,
    in_full,
    is_date,
    is_number,
    name_of,
    why_not_asked,
    wire,
    wrong,
)
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.text import clean

SUBMIT = f"{VERB_PREFIX}submit"
REDRAW = f"{VERB_PREFIX}redraw"  # a choice was made that others depend on
ENTRY_PREFIX = "in."  # what an input's id begins with; then kind and id

_TITLE, _BUTTON, _HINT, _ERROR, _NOTE, _CHOICE = 150, 40, 300, 300, 2_000, 150
_ROOM = BUDGET - 1_000
_SPARE = 200  # bytes of a line that says what was left out
_VALUE = 1_000
_EXACT = 15  # digits that a client's numbers keep
_COMMA = {"%": "%25", ",": "%2C"}  # Teams joins what was chosen with commas


def form_card(
    form: Form, token: str, filled: Filled = BLANK, *, dialog: bool = True
) -> Json:
    """
    Return the card of a form, with what was entered already and what is wrong with it.

    What is wrong stands above its input, since Teams itself checks only what clients
    can. In a dialog a submission ends it, and Teams takes no other action there.
    """
    standing = form.entered(filled.values)
    title = wording.line(form.title, _TITLE, weigh) or wording.UNNAMED
    top = [line(title, size="medium", weight="bolder")]
    if filled.reason:
        top.append(_wrong(filled.reason))
    for text in wording.lines(form.note, _NOTE, weigh).split("\n"):
        top += [line(text, isSubtle=True)] if text else []
    made = whole(top, title, list(_actions(form, token, dialog=dialog)))
    room = _ROOM - size(made) - _SPARE
    inputs, left = _fitting(form, standing, filled.errors, room)
    if left:
        inputs.append(line(wording.left_out(left), isSubtle=True))
    return {**made, "body": [*top, *inputs]}


def values_of(data: Mapping[str, Any], form: Form | None = None) -> dict[str, str]:
    """
    Return what was entered, by input id, from the data of an action.

    Other ones stand for values that could not be sent as they are: `form` says which.
    """
    values: dict[str, str] = {}
    for name, given in data.items():
        kind, dot, id_ = name.removeprefix(ENTRY_PREFIX).partition(".")
        if dot and name.startswith(ENTRY_PREFIX) and kind in set(InputKind):
            values[id_] = _read(InputKind(kind), given)
    return in_full(values, form) if form else values


def _read(kind: InputKind, given: Any) -> str:
    text = clean(str(given)) if isinstance(given, (str, int, float)) else ""
    match kind:
        case InputKind.CHOICES:
            return "\n".join(_unpacked(one) for one in text.split(",") if one)
        case InputKind.CHECK:
            return YES if text.lower() == YES else NO
        case InputKind.LINE | InputKind.TEXT | InputKind.CHOICE:
            return text
        case InputKind.DATE | InputKind.NUMBER:
            return text
        case never:
            assert_never(never)


def _actions(form: Form, token: str, *, dialog: bool) -> Iterator[Json]:
    label = wording.line(form.submit, _BUTTON, weigh)
    yield _action(SUBMIT, label, token, dialog=dialog)
    if form.controllers:
        yield _action(REDRAW, "Show the choices that fit", token, dialog=dialog)


def _action(verb: str, title: str, token: str, *, dialog: bool) -> Json:
    submit = {
        "type": "Action.Submit",
        "title": title or wording.EMPTY,
        "data": {"verb": verb, TOKEN: token},
    }
    # What was entered goes along, whichever button it is: the card is drawn with it.
    check = {"associatedInputs": "auto"}
    if dialog:
        return {**submit, **check}
    return {
        "type": "Action.Execute",
        "verb": verb,
        "title": submit["title"],
        "data": {TOKEN: token},
        **check,
        "fallback": {**submit, **check},
    }


def _fitting(
    form: Form, standing: Mapping[str, str], errors: Mapping[str, str], room: int
) -> tuple[list[Json], int]:
    """Return as many inputs as there is room for, and how many are left out."""
    fitting: list[Json] = []
    menus = sum(bool(each.choices) for each in form.inputs)
    for number, each in enumerate(form.inputs):
        asked = _asked(form, each, standing, errors)
        needed = size(asked)
        if choices := each.offered(standing) if "choices" in asked[-1] else ():
            share = (room - needed - _SPARE) // max(menus, 1)
            asked[-1]["choices"], cut = _choices(each, choices, standing, share)
            asked += [line(_more(cut), isSubtle=True, size="small")] if cut else []
            needed = size(asked)
        menus -= bool(each.choices)
        if needed > room:
            return fitting, len(form.inputs) - number
        room -= needed
        fitting += asked
    return fitting, 0


def _asked(
    form: Form, each: Input, standing: Mapping[str, str], errors: Mapping[str, str]
) -> list[Json]:
    problem = errors.get(each.id, "")
    above = [_wrong(problem)] if problem else []
    label = name_of(each)
    needed = each.required and each.kind is not InputKind.CHECK
    if why_not := why_not_asked(form, each, standing):
        return [*above, line(f"{label}: {why_not}", isSubtle=True)]
    if each.hint:
        hint = wording.line(each.hint, _HINT, weigh)
        above.append(line(hint, isSubtle=True, size="small"))
    made: Json = {
        **_element(each, standing[each.id]),
        "id": f"{ENTRY_PREFIX}{each.kind}.{each.id}",
        "label": label,
    }
    if needed and form.controllers:
        # Clients would not even draw the card anew while it is empty: they are told of
        # nothing, and the submission is refused.
        made["label"] = f"{label} *"
    elif needed:
        made["isRequired"] = True
    told = wording.line(problem, _ERROR) or f"{label} is needed."
    made["errorMessage"] = told
    return [*above, made]


def _element(each: Input, value: str) -> Json:
    match each.kind:
        case InputKind.LINE | InputKind.TEXT:
            most = max(each.longest, len(value)) if each.longest else LONGEST
            multiline = each.kind is InputKind.TEXT
            made: Json = {"type": "Input.Text", "isMultiline": multiline}
            made["maxLength"] = min(most, LONGEST)
            return {**made, "value": clean(value)} if value else made
        case InputKind.NUMBER:
            return _number(value)
        case InputKind.DATE:
            made = {"type": "Input.Date"}
            return {**made, "value": value} if is_date(value) else made
        case InputKind.CHECK:
            made = {"type": "Input.Toggle", "title": YES_LABEL}
            on = YES if value == YES else NO
            return {**made, "valueOn": YES, "valueOff": NO, "value": on}
        case InputKind.CHOICE | InputKind.CHOICES:
            return _menu(each, value)
        case never:
            assert_never(never)


def _number(value: str) -> Json:
    """Clients count in binary: a number that would come back as another is a text."""
    digits = sum(character.isdigit() for character in value)
    if digits > _EXACT or (value and not is_number(value)):
        regex = r"^-?[0-9]+([.][0-9]+)?$"
        return {"type": "Input.Text", "regex": regex, "value": clean(value)}
    made: Json = {"type": "Input.Number"}
    if not value:
        return made
    number = float(value)
    return {**made, "value": int(number) if number.is_integer() else number}


def _menu(each: Input, value: str) -> Json:
    several = each.kind is InputKind.CHOICES
    chosen = [one for one in value.split("\n") if one]
    made: Json = {"type": "Input.ChoiceSet", "choices": [], "isMultiSelect": several}
    if not several:
        made["style"] = "compact"
    if chosen:
        pack = _packed if several else _sent
        made["value"] = ",".join(pack(one) for one in chosen)
    return made


def _choices(
    each: Input, offered: Sequence[Choice], standing: Mapping[str, str], room: int
) -> tuple[list[Json], int]:
    """Return the choices that there is room for, what is chosen first; and the rest."""
    chosen = set(standing[each.id].split("\n"))
    pack = _packed if each.kind is InputKind.CHOICES else _sent
    kept: set[str] = set()
    for choice in sorted(offered, key=lambda one: one.value not in chosen):
        room -= size(_choice(choice, pack(choice.value))) + 2
        if room < 0 and choice.value not in chosen:
            break
        kept.add(choice.value)
    fitting = [one for one in offered if one.value in kept]
    return [_choice(one, pack(one.value)) for one in fitting], len(offered) - len(
        fitting
    )


def _choice(choice: Choice, value: str) -> Json:
    title = wording.line(choice.label, _CHOICE, weigh) or value
    return {"title": title, "value": value}


def _more(count: int) -> str:
    return f"… and {count} more {'choice' if count == 1 else 'choices'}"


def _wrong(text: str) -> Json:
    return line(wrong(text), color="attention", weight="bolder")


def _sent(value: str) -> str:
    return wire(value, _VALUE)


def _packed(value: str) -> str:
    return "".join(_COMMA.get(character, character) for character in _sent(value))


def _unpacked(value: str) -> str:
    for character, escape in reversed(_COMMA.items()):
        value = value.replace(escape, character)
    return value
