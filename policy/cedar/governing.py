"""
What a company has rules of its own for, so that ATOM's grants end there.

A permit that names channels or spaces says who may do its kind of thing in them, and
nobody else may. A permit for everywhere adds to the grants; taking those away
altogether is `defaults: {grants: none}`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policy.cedar.compiling import families_of
from policy.cedar.policies import Policy, uids

_READING = {"bridge.read", "bridge.any"}
_ALL = ("bridge", "channel", "record", "compliance", "admin")


@dataclass(frozen=True)
class Governed:
    """
    Channels and spaces with the families of actions that rules are for there, and
    `read` for those that name reading; kinds of
    records (`*` for all), commands (`*` likewise), and whether the archive has rules.
    """

    channels: Mapping[str, frozenset[str]]
    spaces: Mapping[str, frozenset[str]]
    records: frozenset[str]
    commands: frozenset[str]
    archive: bool

    def of_place(self, channel: str, spaces: Iterable[str]) -> frozenset[str]:
        found = self.channels.get(channel, frozenset())
        return found.union(*(self.spaces.get(name, frozenset()) for name in spaces))

    def record(self, system: str, kind: str) -> bool:
        return bool(self.records & {"*", system, f"{system}/{kind}"})

    def command(self, action: str) -> bool:
        return bool(self.commands & {"*", action})


def governed_by(own: Iterable[Policy]) -> Governed:
    """Return what the company's own permits are about."""
    channels: dict[str, frozenset[str]] = {}
    spaces: dict[str, frozenset[str]] = {}
    records: set[str] = set()
    commands: set[str] = set()
    archive = False
    for policy in own:
        if not policy.allows:
            continue
        named = sorted(policy.actions) if policy.actions is not None else []
        families = frozenset(families_of(named) if named else _ALL)
        places = families & {"bridge", "channel"}
        # Rules for those who speak are none for those who read.
        if "bridge" in places and (not named or _READING & {*named}):
            places |= {"read"}
        kinds: set[str] = set()
        for type_, id_ in uids(policy.est):
            if type_ == "Atom::Channel" and places:
                channels[id_] = channels.get(id_, frozenset()) | places
            elif type_ == "Atom::Space" and places:
                spaces[id_] = spaces.get(id_, frozenset()) | places
            elif type_ == "Atom::RecordSet":
                kinds.add(id_)
        if "record" in families:
            records |= kinds or {"*"}
        if "admin" in families:
            given = {name for name in named if name.startswith("admin.")}
            commands |= {"*"} if "admin.any" in given else given
        archive = archive or "compliance" in families
    return Governed(channels, spaces, frozenset(records), frozenset(commands), archive)
