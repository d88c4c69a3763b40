"""How a company's Jira site is configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from yarl import URL

from bridge.records.model import PUBLIC, RecordRef, System

KIND = "issue"


@dataclass(frozen=True, slots=True)
class Site:
    """
    A site as ATOM knows it.

    `page` is the address that people have in their browsers. `projects` are the keys of
    the projects that ATOM speaks of; of all others it says nothing. `classes` are
    classes of fields by their ids, where they are not public. `hook_secret` signs what
    an administrator's webhook sends, `client_secret` is of ATOM's app, whose own
    webhooks carry a token signed with it. `settle` is how many seconds
    the index may be behind. With `hook_url` ATOM's app registers a webhook to it, and keeps
    it alive: for companies whose administrators set up none.
    """

    instance: str
    page: URL
    projects: frozenset[str]
    classes: Mapping[str, str] = field(default_factory=dict)
    sprint: str = "customfield_10020"
    hook_secret: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    settle: float = 30.0
    hook_url: str = ""

    @property
    def bucket(self) -> str:
        return f"{System.JIRA}:{self.instance}"

    def cls(self, name: str) -> str:
        return self.classes.get(name, PUBLIC)

    def ref(self, id_: str) -> RecordRef:
        return RecordRef(System.JIRA, self.instance, KIND, id_)

    def address(self, key: str) -> str:
        """Return an issue's page."""
        return str(self.page / "browse" / key)
