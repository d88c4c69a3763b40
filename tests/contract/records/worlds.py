"""
Each system of records beside its stand-in, told in the same words to every test.

To join: write a class like `SalesforceWorld` in a module of this folder, and add its
name to `WORLDS` in conftest.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.records.model import RecordRef
from bridge.records.ports import Records
from tests.stand_ins import Account, CountingBudget, Told


@dataclass(frozen=True)
class Sample:
    """
    What the stand-in's seed holds, in the suite's words.

    `open` are records that `reader` sees; `secret` is one that they do not; `gone` is a
    well-formed address of nothing. `title_word` is a word of `open[0]`'s title, `url`
    its page. `key` is a number that people say, of `keyed` ("" for a system without).
    `money` is the id of a fact that `insider` sees on `open[0]` and `reader` does not
    ("" for none). `edit` is an act on `open[0]` with `values` to write, and `other` are
    different values for the same inputs. `add` is an act on `commented` that adds
    something, with `addition`; `create` makes a record of `create_kind` with `new`.
    """

    open: tuple[RecordRef, ...]
    secret: RecordRef
    gone: RecordRef
    title_word: str
    url: str
    key: str
    keyed: RecordRef | None
    edit: str
    values: Mapping[str, str]
    other: Mapping[str, str]
    add: str
    commented: RecordRef
    addition: Mapping[str, str]
    create_kind: str
    new: Mapping[str, str]
    wrong: Mapping[str, str]  # values for `edit` that the system does not take
    wrong_inputs: frozenset[str]  # the inputs that it complains about
    money: str = ""


class World(Protocol):
    """One system and its stand-in."""

    told: Told
    budget: CountingBudget
    sample: Sample
    writes: str  # how calls that write start, in the journal: "PATCH "
    adds: str  # the call that makes the addition, as faults match it
    batch: int  # how many calls reading `sample.open` may take

    @property
    def records(self) -> Records: ...

    def account(self, name: str) -> Account:
        """
        Return an account: `reader` reads and writes, `insider` sees what is kept from
        others, `onlooker` may read and write nothing.
        """
        ...

    def change_behind(self, values: Mapping[str, str]) -> None:
        """Let somebody else change `sample.open[0]` in the system itself."""
        ...

    deletes: str  # who may make and delete records

    def change_of(self, ref: RecordRef) -> None:
        """Let somebody else change a record of `sample.create_kind`."""
        ...

    def forbid_deleting(self, account: Account) -> None:
        """Take somebody's right to delete."""
        ...

    def other_of(self, ref: RecordRef) -> str:
        """Return the id of a record of the same kind which ATOM did not make."""
        ...

    rewords: str  # the call that changes an addition, as faults match it

    def reword_behind(self, words: str) -> None:
        """Let the addition that there is be changed in the system itself."""
        ...

    words: str  # the input of `sample.addition` that holds the words

    def remark(self, text: str) -> int:
        """Let Carol say something on `sample.commented`; returns when, or before."""
        ...

    def remark_inside(self, text: str) -> None:
        """Let her say something there for colleagues alone, where that can be."""
        ...

    def added(self, words: str = "") -> int:
        """Return how many things like `sample.addition`, or with words, there are."""
        ...

    def value(self, name: str) -> Any:
        """Return what the system holds in a field of `sample.open[0]`."""
        ...

    async def aclose(self) -> None: ...
