"""Who asks, and about which resource in which version."""

from dataclasses import dataclass

from bridge.directory.scim import Kept, ScimKind
from policy.directory.scim.problems import stale
from policy.directory.scim.rendering import etag


@dataclass(frozen=True, slots=True)
class Caller:
    """A company's client. `base` is the URL below which it knows the endpoints."""

    tenant: str
    base: str


@dataclass(frozen=True, slots=True)
class Target:
    """A resource; `match` are the entity tags of an If-Match, empty for any version."""

    kind: ScimKind
    id: str
    match: str = ""

    def require(self, kept: Kept) -> None:
        """Raise `Problem` if the resource is in another version than is asked for."""
        if self.match and not tagged(self.match, kept.version):
            raise stale()


def tagged(tags: str, version: int) -> bool:
    """
    Say whether a header's entity tags name a version; `*` names all.

    The comparison is the weak one (RFC 9110 section 8.8.3.2): SCIM's tags are weak.
    """
    wanted = etag(version).removeprefix("W/")
    given = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    return "*" in given or wanted in given
