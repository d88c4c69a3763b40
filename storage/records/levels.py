"""How much of a record a mention shows by itself, per channel and system."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.messages import Channel
from bridge.records.books import ThreadChoice, Way
from bridge.records.cards import Level
from bridge.records.model import System
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Statement
from storage.rows import clean_id, clean_text

_THREADS = "threads"  # stands beside the systems' names, and is none


@dataclass(frozen=True, slots=True)
class StoredLevels:
    """
    Implements `bridge.records.books.LevelBook`.

    Where nobody chose it is `usual`: a card, as far as everybody in the room may see it.
    """

    store: HotStore
    acts: Acts
    clock: Callable[[], int]
    usual: Level = Level.DATA

    async def level(self, tenant: str, channel: Channel, system: System) -> Level:
        rows = await self.store.fetch(
            Statement(
                "SELECT level FROM record_level WHERE tenant = :tenant "
                "AND channel = :channel AND system IN (:system, '') "
                "ORDER BY system DESC LIMIT 1",
                {
                    "tenant": tenant,
                    "channel": clean_text(str(channel)),
                    "system": str(system),
                },
                brief=True,
            )
        )
        return Level(rows[0][0]) if rows else self.usual

    async def choose(
        self,
        tenant: str,
        channel: Channel,
        system: System | None,
        level: Level,
        by: str,
    ) -> None:
        change = self._change(tenant, channel, str(system or ""), str(level), by)
        whose = system.shown if system else "all systems"
        act = Act(
            tenant,
            "admin.config",
            by,
            f"mentions of records of {whose} show {level} here",
            {"what": "record level", "system": str(system or ""), "new": str(level)},
            team=channel.team,
            conv=channel.id,
        )
        await self.acts.note(act, (change,))

    async def threads(self, tenant: str) -> Mapping[Channel, ThreadChoice]:
        rows = await self.store.fetch(
            Statement(
                "SELECT channel, level, at_us FROM record_level "
                "WHERE tenant = :tenant AND system = :system AND level <> :off",
                {"tenant": tenant, "system": _THREADS, "off": str(Way.NONE)},
            )
        )
        return {
            Channel.parse(channel): ThreadChoice(Way(way), at_us)
            for channel, way, at_us in rows
        }

    async def let_threads(
        self, tenant: str, channel: Channel, by: str, way: Way
    ) -> None:
        said = str(way)
        act = Act(
            tenant,
            "admin.config",
            by,
            f"what is said goes between threads of cards and their records here: {said}",
            {"what": "record threads", "new": said},
            team=channel.team,
            conv=channel.id,
        )
        change = self._change(tenant, channel, _THREADS, said, by)
        await self.acts.note(act, (change,))

    def _change(
        self, tenant: str, channel: Channel, system: str, said: str, by: str
    ) -> Statement:
        return Statement(
            "INSERT INTO record_level (tenant, channel, system, level, told_by, at_us) "
            "VALUES (:tenant, :channel, :system, :level, :told_by, :at_us) "
            "ON CONFLICT (tenant, channel, system) DO UPDATE SET "
            "level = excluded.level, told_by = excluded.told_by, "
            "at_us = excluded.at_us",
            {
                "tenant": tenant,
                "channel": clean_text(str(channel)),
                "system": system,
                "level": said,
                "told_by": clean_id(by),
                "at_us": self.clock(),
            },
        )
