"""
Ask for input in a Slack modal.

A modal carries nothing but an opaque token. Slack keeps what was entered where a block
and its input have the same ids in the next view: an input whose choices change with
another one has a block id that changes with it, so that what no longer fits is gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2s
from typing import assert_never

from bots.slack.block_kit import LABEL, VIEW_BLOCKS, Block, context, plain, weigh
from bots.slack.record_entries import ENTRY_PREFIX
from bridge.records import wording
from bridge.records.asking import (
    BLANK,
    LONGEST,
    YES,
    YES_LABEL,
    Filled,
    is_date,
    is_number,
    name_of,
    why_not_asked,
    wire,
    wrong,
)
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.text import clean

FORM_VIEW = "rec.form"  # the callback id of a modal that asks for input

_TITLE, _SUBMIT, _ID = 24, 24, 255
_HINT, _NOTE = 300, 2_900
_VALUE, _PER_GROUP, _GROUPS = 150, 100, 100


def form_view(form: Form, token: str, filled: Filled = BLANK) -> Block:
    """
    Return the modal of a form, with what was entered already and what is wrong with it.

    What is wrong stands above its input: Slack shows errors of its own only if they
    come within three seconds of a submission (`record_entries.errors_for`).
    """
    standing = form.entered(filled.values)
    blocks: list[Block] = []
    reason = wrong(filled.reason) if filled.reason else ""
    for number, text in enumerate(filter(None, (reason, form.note))):
        said = plain(wording.lines(text, _NOTE, weigh))
        blocks.append({"type": "section", "block_id": f"note{number}", "text": said})
    inputs = [_asked(form, each, standing, filled.errors) for each in form.inputs]
    fitting, left = _fitting(inputs, VIEW_BLOCKS - len(blocks) - 1)
    blocks += fitting
    if left:
        blocks.append(context("more", plain(wording.left_out(left))))
    return {
        "type": "modal",
        "callback_id": FORM_VIEW,
        "private_metadata": token,
        "title": plain(wording.line(form.title, _TITLE, weigh)),
        "submit": plain(wording.line(form.submit, _SUBMIT, weigh)),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def _asked(
    form: Form, each: Input, standing: Mapping[str, str], errors: Mapping[str, str]
) -> list[Block]:
    blocks = [_block(form, each, standing)]
    if problem := errors.get(each.id):
        place = f"e{blocks[0]['block_id']}"[:_ID]
        blocks.insert(0, context(place, plain(wrong(problem))))
    return blocks


def _block(form: Form, each: Input, standing: Mapping[str, str]) -> Block:
    label = name_of(each)
    block_id = _block_id(each, standing)
    if why_not := why_not_asked(form, each, standing):
        said = plain(f"{label}: {why_not}")
        return {"type": "context", "block_id": block_id, "elements": [said]}
    made: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "optional": not each.required or each.kind is InputKind.CHECK,
        "element": {
            "action_id": f"{ENTRY_PREFIX}{each.kind}.{each.id}",
            **_element(each, standing),
        },
    }
    if each.id in form.controllers:
        made["dispatch_action"] = True
    if each.hint:
        made["hint"] = plain(wording.line(each.hint, _HINT, weigh))
    return made


def _block_id(each: Input, standing: Mapping[str, str]) -> str:
    if not each.controller:
        return f"i.{each.id}"[:_ID]
    chosen = blake2s(standing.get(each.controller, "").encode(), digest_size=4)
    return f"i.{each.id}"[: _ID - 9] + f"~{chosen.hexdigest()}"


def _element(each: Input, standing: Mapping[str, str]) -> Block:
    value = standing[each.id]
    match each.kind:
        case InputKind.LINE | InputKind.TEXT:
            return _text(each, value)
        case InputKind.NUMBER:
            made: Block = {"type": "number_input", "is_decimal_allowed": True}
            return {**made, "initial_value": value} if is_number(value) else made
        case InputKind.DATE:
            made = {"type": "datepicker"}
            return {**made, "initial_date": value} if is_date(value) else made
        case InputKind.CHECK:
            yes = {"text": plain(YES_LABEL), "value": YES}
            made = {"type": "checkboxes", "options": [yes]}
            return {**made, "initial_options": [yes]} if value == YES else made
        case InputKind.CHOICE | InputKind.CHOICES:
            return _menu(each, each.offered(standing), value)
        case never:
            assert_never(never)


def _text(each: Input, value: str) -> Block:
    made: Block = {"type": "plain_text_input"}
    made["multiline"] = each.kind is InputKind.TEXT
    if value:
        made["initial_value"] = clean(value)
    # What is there already may be longer than what may be entered.
    most = max(each.longest, len(value)) if each.longest else LONGEST
    return {**made, "max_length": min(most, LONGEST)}


def _menu(each: Input, choices: Sequence[Choice], value: str) -> Block:
    options = [_option(choice) for choice in choices[: _PER_GROUP * _GROUPS]]
    wanted = {wire(one, _VALUE) for one in value.split("\n")}
    chosen = [option for option in options if option["value"] in wanted]
    made: Block = {"type": "static_select"}
    if each.kind is InputKind.CHOICES:
        made = {"type": "multi_static_select"}
    if len(options) <= _PER_GROUP:
        made["options"] = options
    else:
        made["option_groups"] = list(_groups(options))
    if chosen and each.kind is InputKind.CHOICES:
        return {**made, "initial_options": chosen}
    return {**made, "initial_option": chosen[0]} if chosen else made


def _groups(options: Sequence[Block]) -> Iterator[Block]:
    """Slack lists a hundred options at most, but a hundred groups of a hundred."""
    for start in range(0, len(options), _PER_GROUP):
        part = options[start : start + _PER_GROUP]
        ends = (part[0]["text"]["text"], part[-1]["text"]["text"])
        label = " – ".join(wording.cut(end, LABEL // 2 - 2) for end in ends)
        yield {"label": plain(label), "options": list(part)}


def _option(choice: Choice) -> Block:
    label = wording.line(choice.label, LABEL, weigh) or choice.value[:LABEL]
    return {"text": plain(label), "value": wire(choice.value, _VALUE)}


def _fitting(inputs: Sequence[list[Block]], most: int) -> tuple[list[Block], int]:
    """Return as many inputs as there is room for, and how many are left out."""
    fitting: list[Block] = []
    for number, blocks in enumerate(inputs):
        if len(fitting) + len(blocks) > most:
            return fitting, len(inputs) - number
        fitting += blocks
    return fitting, 0
