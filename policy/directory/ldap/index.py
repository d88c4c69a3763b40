"""
Which id stands at which name.

LDAP says who is in a group, and in which unit somebody stands, by DN. DNs change and are
given again, so nothing is kept by them; this says what they mean now.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bridge.directory.model import Kind
from policy.directory.ldap.dn import Dn

# A DN, a user name in lower case, or the number of a POSIX group.
Name = Dn | str | int


@dataclass(slots=True)
class Index:
    """
    What is in scope, by name. `cookie` says for which state of the directory it holds,
    `stamp` when the last of what is in it was modified, as the server writes times.

    What two things are called means neither of them. `expiries` are when accounts will
    end, in seconds, of those that will.
    """

    cookie: bytes = b""
    stamp: str = ""
    _ids: dict[Name, str] = field(default_factory=dict)
    _dns: dict[str, Dn] = field(default_factory=dict)
    _below: Counter[Dn] = field(default_factory=Counter)  # how many, by what is above
    _shared: dict[Name, set[str]] = field(default_factory=dict)
    _others: dict[str, Name] = field(default_factory=dict)
    _units: set[str] = field(default_factory=set)
    expiries: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._dns)

    def __contains__(self, id: str) -> bool:  # noqa: A002 - it is one
        return id in self._dns

    def ids(self) -> set[str]:
        return set(self._dns)

    def put(self, key: str, dn: Dn, kind: Kind, other: Name | None = None) -> None:
        """
        Say where something is now; what stands below it goes with it.

        `other` is what else it may be called by.
        """
        before = self._dns.get(key)
        if before is not None and before != dn and self._below[before]:
            self._carry(before, dn)
        self._forget_names(key)
        self._place(key, dn)
        if other is not None:
            self._others[key] = other
            self._name(key, other)
        if kind is Kind.UNIT:
            self._units.add(key)
        else:
            self._units.discard(key)

    def forget(self, key: str) -> None:
        """Say that something is not in scope any more."""
        self._forget_names(key)
        self._units.discard(key)
        self.expiries.pop(key, None)

    def place(self, key: str) -> Dn | None:
        return self._dns.get(key)

    def id(self, name: Name) -> str | None:
        return None if name in self._shared else self._ids.get(name)

    def unit(self, dn: Dn) -> str:
        """Return the unit that something stands in, empty at the top."""
        for parent in dn.parents():
            found = self.id(parent)
            if found in self._units:
                return found or ""
        return ""

    def below(self, key: str) -> Iterator[str]:
        """Go through everything that stands below something."""
        top = self._dns.get(key)
        if top is not None and self._below[top]:
            for other, dn in self._dns.items():
                if other != key and dn.within(top):
                    yield other

    def _carry(self, before: Dn, now: Dn) -> None:
        """Take everything below a name to below another."""
        depth = len(before.rdns)
        moved = {
            key: Dn((*dn.rdns[:-depth], *now.rdns))
            for key, dn in self._dns.items()
            if len(dn.rdns) > depth and dn.within(before)
        }
        for key in moved:
            self._displace(key)
        for key, dn in moved.items():
            self._place(key, dn)

    def _place(self, key: str, dn: Dn) -> None:
        self._dns[key] = dn
        self._below.update(dn.parents())
        self._name(key, dn)

    def _displace(self, key: str) -> None:
        if (dn := self._dns.pop(key, None)) is not None:
            self._unname(key, dn)
            for parent in dn.parents():
                self._below[parent] -= 1
                if not self._below[parent]:
                    del self._below[parent]

    def _forget_names(self, key: str) -> None:
        self._displace(key)
        if (other := self._others.pop(key, None)) is not None:
            self._unname(key, other)

    def _name(self, key: str, name: Name) -> None:
        holder = self._ids.setdefault(name, key)
        if name in self._shared:
            self._shared[name].add(key)
        elif holder != key:
            self._shared[name] = {holder, key}

    def _unname(self, key: str, name: Name) -> None:
        holders = self._shared.get(name, {key})
        holders.discard(key)
        if not holders:
            self._ids.pop(name, None)
        elif len(holders) == 1:
            del self._shared[name]
            self._ids[name] = next(iter(holders))
