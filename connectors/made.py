"""What a deed made, as an adapter remembers it until it may have to be taken back."""

from dataclasses import dataclass
from typing import Self

from bridge.errors import NotAllowed
from bridge.records.model import NEVER, Record, RecordRef, Status


@dataclass(frozen=True, slots=True)
class Made:
    """
    One thing: what it is, its id there, and the state that it was left in.

    The `state` is a revision or a digest; if it is another by now, somebody changed it.
    """

    what: str
    id: str
    state: str = ""

    def __str__(self) -> str:
        return f"{self.what}/{self.id}/{self.state}"

    @classmethod
    def read(cls, told: str) -> Self:
        """Read what `str` wrote. Raises `NotAllowed` for what nothing is known of."""
        what, _, rest = told.partition("/")
        id_, _, state = rest.partition("/")
        if not what or not id_:
            raise NotAllowed("ATOM does not know any more what was added.")
        return cls(what, id_, state)


GONE = "it is not there any more."
CHANGED = "it was changed since."


def deleted(ref: RecordRef, as_of_us: int) -> Record:
    """Return what is left of a record that was deleted: its address."""
    return Record(ref, "", "", Status("Deleted"), NEVER, as_of_us)
