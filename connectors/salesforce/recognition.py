"""Records that a text names: by links to the org's pages, and by numbers of cases."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bridge.errors import BadInput
from bridge.records.model import Mention, RecordRef, System
from connectors.salesforce import ids
from connectors.salesforce.kinds import Kinds

NUMBER = re.compile(r"(?<![\w-])CS-(\d{5,10})(?![\w-])")
_LINK = re.compile(r"https?://[^\s<>|\"'`]+")
_PAGE = re.compile(
    r"(?:/one/one\.app#?)?(?:/lightning/r(?:/(?P<object>\w+))?)?"
    r"/(?P<id>[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?)(?:/view|/edit)?/?"
)
_MY = ".my.salesforce.com"


class Recognition:
    """
    Knows one org's pages. `web` is the address at which people open them; an org has
    two, `acme.my.salesforce.com` and `acme.lightning.force.com`, whichever is given.
    `hosts` are further ones.
    """

    def __init__(
        self, instance: str, web: str, kinds: Kinds, hosts: tuple[str, ...] = ()
    ) -> None:
        self._instance = instance
        self._kinds = kinds
        self._web = web.rstrip("/")
        split = urlsplit(self._web)
        self._path = split.path
        host = split.netloc.casefold()
        self._hosts = {host, *(one.casefold() for one in hosts)}
        if host.endswith(_MY):
            self._hosts.add(f"{host.removesuffix(_MY)}.lightning.force.com")

    def page(self, object_: str, id_: str) -> str:
        """Return the address of a record's page."""
        return f"{self._web}/lightning/r/{object_}/{id_}/view"

    def ref(self, kind: str, id_: str) -> RecordRef:
        return RecordRef(System.SALESFORCE, self._instance, kind, ids.long(id_))

    def mentions(self, text: str) -> tuple[Mention, ...]:
        """Return what a text names, in its order; a number inside of a link is none."""
        links = list(self._links(text))
        taken = [match.span() for match in _LINK.finditer(text)]
        numbers = [
            one
            for one in self._numbers(text)
            if not any(start <= one.start < end for start, end in taken)
        ]
        return tuple(sorted((*links, *numbers), key=lambda one: one.start))

    def _links(self, text: str) -> Iterator[Mention]:
        for match in _LINK.finditer(text):
            url = match[0].rstrip(".,;:!?)]}")
            ref = self._linked(url)
            if ref is not None:
                start, end = match.start(), match.start() + len(url)
                yield Mention(
                    ref.system, ref.instance, ref.kind, "", start, end, ref, url
                )

    def _linked(self, url: str) -> RecordRef | None:
        try:
            split = urlsplit(url)
            page = _PAGE.fullmatch(split.path.removeprefix(self._path))
            if split.netloc.casefold() not in self._hosts or page is None:
                return None
            id_ = ids.long(page["id"])
        except (ValueError, BadInput):
            return None
        kind = self._kinds.of_id(id_)
        if kind is None or page["object"] not in {None, kind.object, id_}:
            return None
        return self.ref(kind.name, id_)

    def _numbers(self, text: str) -> Iterator[Mention]:
        for match in NUMBER.finditer(text):
            yield Mention(
                System.SALESFORCE,
                self._instance,
                "case",
                match[0],
                match.start(),
                match.end(),
            )


def number_of(key: str) -> str | None:
    """Return the org's own case number for `CS-…`, None if it is none."""
    match = NUMBER.fullmatch(key)
    return match[1].zfill(8) if match else None
