"""The people of the stand-ins' company, and what each may see and do."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Profile:
    """
    What an account may do. `objects` says by type (`*` for any other) with letters of
    `crud`; `hidden` and `readonly` hold `Type.Field`. `everything` sees all rows,
    others only those that the system shares with them.
    """

    name: str
    objects: Mapping[str, str] = field(default_factory=lambda: {"*": "crud"})
    hidden: frozenset[str] = frozenset()
    readonly: frozenset[str] = frozenset()
    everything: bool = False

    def may(self, right: str, kind: str) -> bool:
        return right in self.objects.get(kind, self.objects.get("*", ""))

    def sees(self, kind: str, name: str) -> bool:
        return f"{kind}.{name}" not in self.hidden

    def writes(self, kind: str, name: str) -> bool:
        return self.sees(kind, name) and f"{kind}.{name}" not in self.readonly


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account. `id` is the system's own, `name` short and unique."""

    id: str
    name: str
    shown: str
    profile: Profile
    mail: str = ""
    groups: tuple[str, ...] = ()
    title: str = ""


# Who works at Acme, in the same words as the demo's chat: name, shown, title.
PEOPLE: tuple[tuple[str, str, str], ...] = (
    ("alice", "Alice Wong", "Head of IT"),
    ("erin", "Erin Park", "Service desk"),
    ("bob", "Bob Stone", "Account executive"),
    ("chen", "Chen Li", "Software engineer"),
    ("carol", "Carol Díaz", "Support engineer"),
    ("dana", "Dana Fox", "Sales finance"),
    ("dave", "Dave O'Neil", "Controller"),
    ("frank", "Frank Moss", "Finance"),
)
