"""What a policy answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Action(StrEnum):
    """What people may be allowed to do, in the policy's words."""

    POST = "bridge.post"
    EDIT = "bridge.edit"
    DELETE = "bridge.delete"
    REACT = "bridge.react"
    FILE = "bridge.file"
    COMMAND = "admin.command"


@dataclass(frozen=True, slots=True)
class Decision:
    """
    An answer of the policy, complete enough to be explained years later.

    `rule` names what decided; `policy` is the hash of the policy text and
    `directory` the version of the directory it was taken with. `action` is what was
    asked for, empty for what is decided whatever somebody wants.
    """

    allowed: bool
    rule: str
    policy: str
    directory: str
    action: Action | Literal[""] = ""
