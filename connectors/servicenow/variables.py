"""Make a form of a catalogue item's variables, as far as a chat can ask for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import BadInput
from bridge.records.forms import Choice, Input, InputKind
from connectors.servicenow.tables import BESIDES

VARIABLE = "var-"  # starts the id of an input for a variable
_MOST = 40  # inputs of one form

# ServiceNow's types of variables, by their numbers.
_KINDS: Mapping[int, InputKind] = {
    1: InputKind.CHOICE,  # yes or no
    2: InputKind.TEXT,
    3: InputKind.CHOICE,
    4: InputKind.CHOICE,  # a scale
    5: InputKind.CHOICE,
    6: InputKind.LINE,
    7: InputKind.CHECK,
    8: InputKind.LINE,  # a reference, by name
    9: InputKind.DATE,
    16: InputKind.LINE,
    18: InputKind.CHOICE,
    22: InputKind.CHOICE,
    26: InputKind.LINE,  # an e-mail address
    27: InputKind.LINE,  # a URL
    28: InputKind.LINE,  # an IP address
    31: InputKind.LINE,  # who it is for, by name
}
_REFERENCE, _PERSON, _YES_NO = 8, 31, 1
_SHOWN_ONLY = frozenset({11, 12, 14, 15, 17, 19, 20, 24, 32})  # labels, containers
_YES = (Choice("Yes", "Yes"), Choice("No", "No"))
LOOKED_UP: Mapping[str, Sequence[str]] = {
    "sys_user": ("email", "name"),
    "sys_user_group": ("name",),
    "cmn_location": ("name",),
    "cmn_department": ("name",),
    "core_company": ("name",),
    "cmdb_ci": ("name",),
}


def inputs_of(item: Mapping[str, Any]) -> tuple[Input, ...]:
    """
    Return inputs for an item's variables, in its order.

    Raises `BadInput` if it demands something that cannot be entered in a chat: a secret,
    a file, or a kind of variable that nobody here knows.
    """
    if str(item.get("mandatory_attachment")).lower() == "true":
        raise BadInput("order this in ServiceNow itself: it asks for a file")
    inputs = tuple(input_ for input_, _table in variables_of(item).values())
    if len(inputs) > _MOST:
        raise BadInput("order this in ServiceNow itself: its form is too long")
    return inputs


def variables_of(item: Mapping[str, Any]) -> dict[str, tuple[Input, str]]:
    """
    Return an item's variables by name: each one's input, and the table it refers to.

    Raises `BadInput` as `inputs_of` does.
    """
    found = {}
    for spec in item.get("variables") or ():
        input_ = _input(spec)
        if input_ is not None:
            found[str(spec.get("name"))] = (input_, _table_of(spec))
    return found


def _input(spec: Mapping[str, Any]) -> Input | None:
    type_ = int(spec.get("type") or 0)
    mandatory = str(spec.get("mandatory")).lower() == "true"
    name, label = str(spec.get("name") or ""), str(spec.get("label") or "")
    if type_ in _SHOWN_ONLY or str(spec.get("read_only")).lower() == "true":
        return None
    kind = _KINDS.get(type_)
    choices = tuple(
        Choice(str(each.get("value")), str(each.get("label")))
        for each in spec.get("choices") or ()
        if str(each.get("value") or "")
    )
    if type_ == _YES_NO:
        choices = choices or _YES
    asked = kind is not None and name and (choices or kind is not InputKind.CHOICE)
    if type_ in {_REFERENCE, _PERSON} and not _table_of(spec):
        asked = False
    if not asked or kind is None:
        if mandatory:
            what = label or "something"
            raise BadInput(f"order this in ServiceNow itself: it asks for {what!r}")
        return None
    hint = str(spec.get("help_text") or "")
    if _table_of(spec):
        hint = hint or "its whole name"
    return Input(
        f"{VARIABLE}{name}",
        label or name,
        kind,
        "" if _table_of(spec) else str(spec.get("value") or ""),
        required=mandatory,
        choices=choices,
        hint=hint,
    )


def _table_of(spec: Mapping[str, Any]) -> str:
    """Return the table that a variable refers to, if its rows are looked up here."""
    type_ = int(spec.get("type") or 0)
    table = "sys_user" if type_ == _PERSON else str(spec.get("reference") or "")
    refers = type_ in {_REFERENCE, _PERSON}
    return table if refers and table in LOOKED_UP and table in BESIDES else ""
