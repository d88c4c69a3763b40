"""Who of those in a Slack channel is not the company's own."""

from dataclasses import dataclass

from bots.slack.members import SlackMembers
from bots.slack.people import SlackPeople
from bridge.errors import ServiceUnavailable
from bridge.messages import Channel, PersonKind

_OUTSIDERS = {PersonKind.GUEST, PersonKind.EXTERNAL}
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class SlackReaders:
    """Implements `bridge.membership.Readers` with users.info, remembered an hour."""

    members: SlackMembers
    people: SlackPeople

    async def outsiders(self, channel: Channel) -> frozenset[str]:
        everybody = sorted(await self.members.of(channel))
        found: set[str] = set()
        unknown = 0
        for n in range(0, len(everybody), _AT_ONCE):
            some = everybody[n : n + _AT_ONCE]
            known = await self.people.lookup(channel, some)
            unknown += len(some) - len(known)
            found |= {i for i, p in known.items() if p.kind in _OUTSIDERS}
            if found:
                break  # one is enough to know, and the others take their time
        if unknown and not found:
            raise ServiceUnavailable(
                f"Slack does not tell who {unknown} of {len(everybody)} members are"
            )
        return frozenset(found)
