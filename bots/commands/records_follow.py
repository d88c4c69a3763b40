"""Hear of changes in business systems, here or alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bots.commands.base import Request, spoken
from bots.commands.records_find import asker_of, others_read, words_of
from bridge.cards import Button, Card, Section, Tone
from bridge.errors import BadInput, NotFound
from bridge.records.books import Quiet, Subscription
from bridge.records.mentions import Mentions
from bridge.records.model import Record
from bridge.records.subscribing import Subscribing, Topic

_EVERY = re.compile(r"(\d{1,5})(m|h|d)")
_UNITS = {"m": 1, "h": 60, "d": 24 * 60}
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")
_EXAMPLE = "follow incident every 1h quiet 22:00-07:00 Europe/Berlin where priority = 1"


@dataclass(frozen=True, slots=True)
class Follow:
    """Follows one record by its number or link, or a kind with a filter."""

    name: ClassVar[str] = "follow"
    usage: ClassVar[str] = (
        "follow KEY [me] | follow KIND [me] [secured] [every 1h] "
        "[quiet 22:00-07:00 ZONE] [where FILTER]"
    )
    summary: ClassVar[str] = "hear of changes of records, here or alone"

    subscribing: Subscribing
    mentions: Mentions

    async def run(self, request: Request) -> Card:
        words = words_of(request)
        if not words:
            raise BadInput(
                f"Name a record or a kind, such as "
                f"`{spoken(request.channel.platform, _EXAMPLE)}`."
            )
        named, _, alone = words.partition(" ")
        named = named if alone.strip().lower() in {"", "me"} else words
        for records in self.mentions.systems.of(request.tenant):
            for mention in records.recognise(named):
                if mention.end - mention.start < len(named):
                    continue  # it is part of a filter
                asker = asker_of(request)
                seen = await self.mentions.looked_at(asker, records, mention)
                if not isinstance(seen, Record):
                    raise NotFound(seen or f"There is no record {named}.")
                person = await self.subscribing.admitting.known(asker)
                if alone:
                    asker = replace(asker, channel=None)
                line = await self.subscribing.follow_record(asker, person, seen.ref)
                return Card("Followed", line, Tone.GOOD)
        made = await self.subscribing.subscribe(asker_of(request), topic(words))
        return Card(
            "Followed",
            f"{described(made)}\n`unfollow {made.id}` ends that.",
            Tone.GOOD,
        )


@dataclass(frozen=True, slots=True)
class Unfollow:
    name: ClassVar[str] = "unfollow"
    usage: ClassVar[str] = "unfollow ID"
    summary: ClassVar[str] = "hear no more of something that is followed here"

    subscribing: Subscribing

    async def run(self, request: Request) -> Card:
        match request.arguments:
            case (id_,):
                ended = await self.subscribing.unfollow(asker_of(request), id_)
                return Card("Not followed any more", described(ended), Tone.GOOD)
            case _:
                platform = request.channel.platform
                raise BadInput(f"Type `{spoken(platform, self.usage)}`.")


@dataclass(frozen=True, slots=True)
class Subscriptions:
    name: ClassVar[str] = "subscriptions"
    usage: ClassVar[str] = "subscriptions"
    summary: ClassVar[str] = "see what this channel and you hear of"

    subscribing: Subscribing

    async def run(self, request: Request) -> Card:
        found = await self.subscribing.here(asker_of(request))
        if others_read(request.channel):
            # Everybody reads the answer: what somebody hears alone is theirs.
            found = [each for each in found if each.channel is not None]
        if not found:
            return Card("Nothing is followed here", f"For one: `{_EXAMPLE}`.")
        return Card(
            f"{len(found)} followed",
            "",
            Tone.PLAIN,
            tuple(Section(each.id, described(each)) for each in found),
            tuple(_ending(found)),
        )


def topic(words: str) -> Topic:
    """Read what is typed behind `follow`. Raises `BadInput`."""
    head, _, filter_ = words.partition(" where ")
    kind, *options = head.split()
    made = Topic(kind, filter_.strip())
    while options:
        option = options.pop(0).lower()
        match option:
            case "me":
                made = replace(made, mine=True)
            case "secured":
                made = replace(made, secured=True)
            case "every":
                made = replace(made, every=_minutes(options))
            case "quiet":
                made = replace(made, quiet=_quiet(options))
            case _:
                raise BadInput(f"'{option}' is not understood; for one: `{_EXAMPLE}`.")
    return made


def described(subscription: Subscription) -> str:
    """Return a subscription in a line."""
    what = f"{subscription.system.shown}: {subscription.ref or subscription.kind}"
    parts = [what if subscription.ref is None else str(subscription.ref)]
    if subscription.filter:
        parts.append(f"where {subscription.filter}")
    parts.append(f"every {subscription.every} minutes" if subscription.every else "")
    quiet = subscription.quiet
    if quiet.start != quiet.end:
        parts.append(f"quiet {_hour(quiet.start)}-{_hour(quiet.end)} {quiet.zone}")
    parts.append("here" if subscription.channel else "for you alone")
    parts.append("secured ones too" if subscription.secured else "")
    return ", ".join(part for part in parts if part)


def _ending(found: Sequence[Subscription]) -> list[Button]:
    return [Button(f"End {each.id}", f"unfollow {each.id}") for each in found[:5]]


def _minutes(options: list[str]) -> int:
    told = _EVERY.fullmatch(options.pop(0).lower()) if options else None
    if told is None:
        raise BadInput("Write how often, such as `every 30m`, `every 1h`, `every 1d`.")
    return int(told[1]) * _UNITS[told[2]]


def _quiet(options: list[str]) -> Quiet:
    told = _HOURS.fullmatch(options.pop(0)) if options else None
    if told is None:
        raise BadInput("Write the hours, such as `quiet 22:00-07:00 Europe/Berlin`.")
    zone = "UTC"
    if options and options[0].lower() not in {"me", "secured", "every"}:
        zone = options.pop(0)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(
            f"There is no time zone '{zone}': write one like Europe/Berlin."
        ) from error
    start = int(told[1]) * 60 + int(told[2])
    end = int(told[3]) * 60 + int(told[4])
    return Quiet(start, end, zone)


def _hour(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
