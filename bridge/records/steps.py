"""
What somebody writes when several things shall be done in a row.

    resolve INC0010001 close_code=Solved "Restarted it" then comment WEB-42 "Fixed"

Each step is an act, a record by its number or link, and what the act asks for: fields by
their names, and words that go into the one input that is for words.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.errors import BadInput
from bridge.records.forms import Form, Input, InputKind

MOST = 10
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
_TOKEN = re.compile(
    r'(?P<name>\w+)=(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]*))'
    r'|"(?P<text>[^"]*)"|(?P<word>[^\s"]+)'
)
_THEN = "then"
_SHOWN = 8  # choices in a refusal
_YES = {"yes": "true", "true": "true", "no": "false", "false": "false"}
_WORDS = (InputKind.TEXT, InputKind.LINE)


@dataclass(frozen=True, slots=True)
class Written:
    """One step as it was written; `label` is how it is told back."""

    act: str
    record: str
    fields: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def label(self) -> str:
        return f"{self.act} {self.record}"


def written(said: str) -> list[Written]:
    """Read steps. Raises `BadInput` with a line that says what to write instead."""
    plain = said.translate(_QUOTES)
    if plain.count('"') % 2:
        raise BadInput('There is a " without its other half.')
    steps = [_step(part) for part in _parts(plain)]
    if len(steps) > MOST:
        raise BadInput(f"Between 1 and {MOST} steps can be done at once.")
    return steps


def _parts(said: str) -> Iterator[list[re.Match[str]]]:
    part: list[re.Match[str]] = []
    for token in _TOKEN.finditer(said):
        if (token["word"] or "").casefold() == _THEN:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _step(tokens: Sequence[re.Match[str]]) -> Written:
    act, record, *rest = [*tokens, None, None][: max(2, len(tokens))]
    if not (act and act["word"] and record and record["word"]):
        raise BadInput("Each step begins with what to do and with which record.")
    fields: dict[str, str] = {}
    words: list[str] = []
    for token in rest:
        if token is None:
            continue
        if (name := token["name"]) is not None:
            if name in fields:
                raise BadInput(f"{name} is said twice.")
            fields[name] = token["quoted"] if token["bare"] is None else token["bare"]
        else:
            words.append(token["word"] or token["text"] or "")
    return Written(
        act["word"].casefold(), record["word"].strip("<>"), fields, " ".join(words)
    )


def filled(step: Written, form: Form) -> dict[str, str]:
    """
    Return the value of each input that was written, by its id.

    Raises `BadInput` for what the form does not know, and for what it needs besides.
    """
    values: dict[str, str] = {}
    for name, said in step.fields.items():
        one = _named(step, form, name)
        values[one.id] = _value(step, one, said)
    if step.text:
        one = _for_words(step, form, values)
        values[one.id] = _value(step, one, step.text)
    entered = form.entered(values)
    for each in form.inputs:
        if values.get(each.id) and not entered[each.id]:
            controller = next(i.label for i in form.inputs if i.id == each.controller)
            raise BadInput(
                f"{step.label}: that {each.label} does not fit {controller}."
            )
        if each.required and not entered[each.id]:
            raise BadInput(
                f"{step.label}: say {_spoken(each)}={_example(each)} as well."
            )
    return values


def called(one: Input, name: str) -> bool:
    """Say whether somebody means an input, by its label or its id."""
    return _plain(name) in {_plain(one.id), _plain(one.label)}


def _named(step: Written, form: Form, name: str) -> Input:
    for each in form.inputs:
        if called(each, name):
            return each
    known = ", ".join(_spoken(each) for each in form.inputs) or "nothing"
    raise BadInput(f"{step.label} does not ask for {name}; it asks for {known}.")


def _for_words(step: Written, form: Form, taken: Mapping[str, str]) -> Input:
    free = [each for each in form.inputs if each.id not in taken]
    for kind in _WORDS:
        fitting = [each for each in free if each.kind is kind]
        wanted = [each for each in fitting if each.required] or fitting
        if wanted:
            return wanted[0]
    if len(free) == 1:
        return free[0]
    known = ", ".join(_spoken(each) for each in form.inputs) or "nothing"
    raise BadInput(f"{step.label} has no place for words; it asks for {known}.")


def _value(step: Written, one: Input, said: str) -> str:
    if one.kind is InputKind.CHECK:
        if (value := _YES.get(said.casefold())) is None:
            raise BadInput(f"{step.label}: {_spoken(one)} is yes or no.")
        return value
    if one.kind is InputKind.CHOICES:
        return "\n".join(_choice(step, one, each.strip()) for each in said.split(","))
    if one.kind is InputKind.CHOICE:
        return _choice(step, one, said)
    if one.longest and len(said) > one.longest:
        raise BadInput(
            f"{step.label}: {_spoken(one)} has {one.longest} characters at most."
        )
    return said


def _choice(step: Written, one: Input, said: str) -> str:
    for each in one.choices:
        if said.casefold() in {each.value.casefold(), each.label.casefold()}:
            return each.value
    raise BadInput(f"{step.label}: {_spoken(one)} is one of {_example(one)}.")


def _example(one: Input) -> str:
    labels = [each.label for each in one.choices]
    if not labels:
        return "…"
    more = " …" if len(labels) > _SHOWN else ""
    return ", ".join(f'"{label}"' for label in labels[:_SHOWN]) + more


def _spoken(one: Input) -> str:
    """Return an input's name as it can be written: its label, unless that is long."""
    label = re.sub(r"\W+", "_", one.label).strip("_").lower()
    return label or one.id


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
