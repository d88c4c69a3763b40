"""
What a refresh comes to: changes, what is there, and what is gone (RFC 4533, 3.3 and 3.4).

A server that remembers names what is gone. One that does not names everything that is
there, changed or not; then what it did not name is gone, and not before it said that it
is through.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from policy.directory.ldap import ber
from policy.directory.ldap.answers import Answer, Done, Found, Referral, Told
from policy.directory.ldap.results import SUCCESS, SYNC_REFRESH_REQUIRED
from policy.directory.ldap.sync_codec import (
    SYNC_DONE,
    SYNC_INFO,
    SYNC_STATE,
    IdSet,
    NewCookie,
    PhaseEnd,
    What,
    sync_done,
    sync_info,
    sync_state,
)


@dataclass(slots=True)
class Refresh:
    """
    Everything said since the last time it was taken.

    `changed` are entries by id, the last state of each. `there` were named unchanged.
    `named_all` says that what was not named is gone. `through` says that the server
    caught up; `restart`, that it wants the reading to start over.
    """

    cookie: bytes = b""
    changed: dict[str, Found] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    named_all: bool = False
    through: bool = False
    restart: bool = False
    referrals: int = 0
    end: Done | None = None

    def hear(self, answers: Sequence[Answer]) -> None:
        """Take in what was said. Raises NotBer for what cannot be read."""
        for each in answers:
            match each:
                case Found():
                    self._entry(each)
                case Told(oid, value) if oid == SYNC_INFO:
                    self._info(value)
                case Referral():
                    self.referrals += 1
                case Done():
                    self._finished(each)
                case _:
                    pass  # other things said between entries do not concern us

    def taken(self) -> "Refresh":
        """Return what was said, and be empty but for the cookie and the phase."""
        said = Refresh(
            self.cookie,
            self.changed,
            self.there,
            self.gone,
            self.named_all,
            self.through,
            self.restart,
            self.referrals,
            self.end,
        )
        self.changed, self.there, self.gone = {}, set(), set()
        self.named_all, self.referrals = False, 0
        return said

    @property
    def empty(self) -> bool:
        return not (self.changed or self.gone or self.named_all or self.referrals)

    def _entry(self, found: Found) -> None:
        if SYNC_STATE not in found.controls:
            raise ber.NotBer("an entry without its sync state")
        state = sync_state(found.controls[SYNC_STATE])
        key = str(state.id)
        self._keep(state.cookie)
        if state.what is What.DELETE:
            self.changed.pop(key, None)
            self.there.discard(key)
            self.gone.add(key)
        elif state.what is What.PRESENT:
            self.there.add(key)
        else:
            self.gone.discard(key)
            self.changed[key] = found

    def _info(self, value: bytes) -> None:
        match sync_info(value):
            case NewCookie(cookie):
                self._keep(cookie)
            case IdSet(ids, cookie, deletes):
                keys = {str(each) for each in ids}
                self._keep(cookie)
                if deletes:
                    self.gone |= keys
                    for key in keys:
                        self.changed.pop(key, None)
                else:
                    self.there |= keys
            case PhaseEnd(deletes, cookie, done):
                self._keep(cookie)
                self.named_all |= not deletes
                self.through |= done

    def _finished(self, done: Done) -> None:
        self.end = done
        self.restart = done.code == SYNC_REFRESH_REQUIRED
        if done.code != SUCCESS:
            return
        if SYNC_DONE in done.controls:
            said = sync_done(done.controls[SYNC_DONE])
            self._keep(said.cookie)
            if not self.through:
                self.named_all |= not said.refresh_deletes
        self.through = True

    def _keep(self, cookie: bytes) -> None:
        if cookie:
            self.cookie = cookie
