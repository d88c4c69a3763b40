"""Random searches."""

from hypothesis import strategies as st

from bridge.search.fields import FIELDS, condition
from bridge.search.syntax import (
    Condition,
    Expression,
    Near,
    Operand,
    Phrase,
    Query,
    Wild,
    both,
    either,
    opposite,
)

_WORDS = st.sampled_from(
    ["plan", "Ärger", "東京", "🎉", "שלום", "مرحبا", "e-mail", "OR", "c++", "x y", "-a"]
)
_PATTERNS = st.sampled_from(["pl*", "te?t", "re*se", "e-ma*", "ÄR*"])
_VALUES = {
    "platform": ["slack", "teams"],
    "has": ["file", "reaction"],
    "is": ["thread", "deleted"],
    "was": ["edited"],
    "seq": ["7", "1..9", "..4", "2.."],
    "before": ["2026-03-29", "2026", "-7d", "today"],
    "after": ["2026-03-29T10:00", "2026-03-29T10:00:05+02:00"],
    "on": ["yesterday", "2024-02-29"],
    "during": ["last-month", "2026-10"],
    "sent": ["2026-01-01..2026-02-01", "..2026", "@5..@9"],
}


def operands() -> st.SearchStrategy[Operand]:
    return st.one_of(_WORDS.map(Phrase), _PATTERNS.map(Wild))


def conditions() -> st.SearchStrategy[Condition]:
    def made(field: str) -> st.SearchStrategy[Condition]:
        values = st.sampled_from(
            _VALUES.get(field, ["ada", "a b", "#x", "C02", "19:x@t"])
        )
        return values.map(lambda value: condition(field, value, quoted=True))

    fields = sorted(set(FIELDS) - {"tz", "rev"})
    return st.sampled_from(fields).flatmap(made)


def expressions() -> st.SearchStrategy[Expression]:
    leaf = st.one_of(
        operands(),
        conditions(),
        st.builds(Near, operands(), operands(), st.integers(0, 12), st.booleans()),
    )
    return st.recursive(
        leaf,
        lambda deeper: st.one_of(
            deeper.map(opposite),
            st.lists(deeper, min_size=2, max_size=3).map(lambda p: both(*p)),
            st.lists(deeper, min_size=2, max_size=3).map(lambda p: either(*p)),
        ),
        max_leaves=8,
    )


def queries() -> st.SearchStrategy[Query]:
    zones = st.sampled_from(["UTC", "Europe/Berlin"])
    return st.builds(Query, expressions(), zones, st.booleans())
