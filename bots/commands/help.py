"""What can be typed, in the words of the platform it is typed on."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Command, Request, spoken
from bridge.cards import Button, Card, Field, Section


@dataclass(frozen=True, slots=True)
class Help:
    name: ClassVar[str] = "help"
    usage: ClassVar[str] = "help"
    summary: ClassVar[str] = "show this list"

    others: tuple[Command, ...]

    async def run(self, request: Request) -> Card:
        platform = request.channel.platform
        fields = tuple(
            Field(f"`{spoken(platform, command.usage)}`", command.summary)
            for command in (*self.others, self)
        )
        return Card(
            "ATOM makes channels in Slack and Teams one conversation",
            "What you can type:",
            sections=(Section(fields=fields),),
            buttons=(Button("Show links", "links"), Button("Show status", "status")),
        )
