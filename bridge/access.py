"""What a policy is asked, and what it answers."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

from bridge.messages import Channel, Person


class Action(StrEnum):
    """What people may be allowed to do, in the policy's words."""

    READ = "bridge.read"
    POST = "bridge.post"
    EDIT = "bridge.edit"
    DELETE = "bridge.delete"
    REACT = "bridge.react"
    FILE = "bridge.file"
    PING = "bridge.ping"
    JOIN = "channel.join"
    INVITE = "channel.invite"
    RECORD_VIEW = "record.view"
    RECORD_UPDATE = "record.update"
    RECORD_CREATE = "record.create"
    RECORD_APPROVE = "record.approve"
    SEARCH = "compliance.search"
    EXPORT = "compliance.export"
    HOLD = "compliance.hold"
    COMMAND = "admin.command"


class Label(IntEnum):
    """How far something may be shown, from anybody to a chosen few."""

    PUBLIC = 0
    INTERNAL = 1
    CONFIDENTIAL = 2
    RESTRICTED = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """
    One question to the policy: may this person do this, here?

    `channel` is where they do it and `target` where it would be seen, if that is
    somewhere else; `link` is the link that carries it. `account` is the Slack workspace
    or the Teams tenant that vouches for the person, empty where the channel's says it.
    `label` is what the content was classified as. `thing` names what else is concerned:
    the command's name, or a record as `system/kind/id`, and `field` a class of its
    fields. `outsiders` says that people of other organisations read along at the target.
    """

    tenant: str
    person: Person
    action: Action
    channel: Channel | None = None
    target: Channel | None = None
    link: str = ""
    account: str = ""
    label: Label = Label.PUBLIC
    thing: str = ""
    field: str = ""
    outsiders: bool = False

    @property
    def name(self) -> str:
        """What is asked for, by the name that policies use: commands have their own."""
        if self.action is Action.COMMAND and self.thing:
            return f"admin.{self.thing}"
        return self.action


@dataclass(frozen=True, slots=True)
class Decision:
    """
    An answer of the policy, complete enough to be explained years later.

    `rule` names what decided; `policy` is the hash of the policy text and
    `directory` the version of the directory it was taken with. `action` is what was
    asked for, empty for what is decided whatever somebody wants. `reason` is the rule's
    own sentence for people, `duties` what has to be done for it to hold (`redact:email`).
    `evidence` is what the decision was taken on, canonical JSON, by which it can be taken
    again; empty where a rule asks for nothing. `target` is where it would have been
    seen, if the question named that. `unsure` says that it is a denial only because what
    it needs is not to be had now (a directory that is too old, a policy that fails):
    asked again later, the answer may be another.
    """

    allowed: bool
    rule: str
    policy: str
    directory: str
    action: Action | Literal[""] = ""
    reason: str = ""
    duties: tuple[str, ...] = ()
    evidence: str = ""
    target: str = ""
    unsure: bool = False
