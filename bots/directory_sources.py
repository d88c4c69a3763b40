"""
Make adapters of Entra ID and HR systems from their settings.

Settings that only one kind knows stand in its `options`; one that it does not know is
refused by name, because a misspelt guard guards nothing.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from aiohttp import ClientSession
from pydantic import SecretStr

from bots.directory_settings import SourceSettings
from bots.teams.tokens import Tokens
from bridge.directory.ports import Source
from bridge.errors import BadInput
from policy.directory.entra.clouds import cloud
from policy.directory.entra.graph import Graph
from policy.directory.entra.objects import Shape
from policy.directory.entra.source import EntraSource
from policy.directory.entra.subscriptions import Subscriptions
from policy.directory.hr.bamboohr import FIELDS, BambooFeed, BambooLayout
from policy.directory.hr.csv_feed import CsvFeed
from policy.directory.hr.csv_file import HEADERS, Layout
from policy.directory.hr.source import USUAL_AHEAD, Feed, HrSource
from policy.directory.hr.workday import (
    JOB_PLACES,
    PLACES,
    WorkdayFeed,
    WorkdayLayout,
    WorkdayTokens,
)
from policy.directory.rest import Rest

_MICRO = 1_000_000
_HR = ("poll", "ahead", "zone")
_BAMBOO_OWN = frozenset({"person", "zone", "involuntary"})
_JOB = "job_"


@dataclass(frozen=True, slots=True)
class Options:
    """What a source's `options` say. Every getter raises `BadInput`."""

    source: SourceSettings

    def known(self, *names: str) -> "Options":
        """Refuse options that the kind does not know."""
        for name in self.source.options:
            if name not in names:
                raise BadInput(
                    f"the source {self.source.name} has an option {name!r} that "
                    f"{self.source.kind} does not know; it knows {', '.join(names)}"
                )
        return self

    def text(self, name: str, otherwise: str = "") -> str:
        return str(self.source.options.get(name, otherwise))

    def flag(self, name: str) -> bool:
        value = self.source.options.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def number(self, name: str, otherwise: float) -> float:
        value = self.source.options.get(name, otherwise)
        if isinstance(value, bool | str) or value < 0:
            raise self._wrong(name, "a number, 0 or more")
        return float(value)

    def _wrong(self, name: str, wanted: str) -> BadInput:
        return BadInput(
            f"the source {self.source.name}'s option {name} has to be {wanted}"
        )


def entra_source(
    settings: SourceSettings, session: ClientSession | None, clock: Callable[[], int]
) -> Source:
    """Return a tenant of Entra ID."""
    options = Options(settings).known(
        "cloud",
        "token_url",
        "certificate",
        "poll",
        "mail_lists",
        "notice_url",
        "trust_external_members",
        "administrative_units",
    )
    there = cloud(options.text("cloud", "global"))
    tenant = _needed(settings, "tenant_id").lower()
    tokens = Tokens(
        _needed(settings, "client_id"),
        _said(settings.client_secret),
        options.text("token_url", there.token_url),
        tenant,
        monotonic,
        certificate=_certificate(settings, options.text("certificate")),
        authority=there.login,
        graph_scope=there.scope,
    )
    graph = Graph(
        Rest(_session(settings, session), "Microsoft Graph"),
        tokens,
        tenant,
        settings.url or there.base,
    )
    shape = Shape(
        tenant,
        settings.attributes,
        options.flag("mail_lists"),
        options.flag("trust_external_members"),
        options.flag("administrative_units"),
    )
    source = EntraSource(settings.name, graph, shape, options.number("poll", 60.0))
    if url := options.text("notice_url"):
        secret = hook_secret(settings)
        source.subscriptions = Subscriptions(
            graph, url, secret, lambda: datetime.fromtimestamp(clock() / _MICRO, UTC)
        )
    return source


def hook_secret(settings: SourceSettings) -> str:
    """
    Return by what a source's calls are known, empty if it may not call.

    Graph is told a secret of ATOM's, which is the same in every process; the others are
    given the source's password.
    """
    if settings.kind != "entra":
        return _said(settings.password)
    if not settings.options.get("notice_url"):
        return ""
    known = _said(settings.client_secret) or _certificate(
        settings, str(settings.options.get("certificate", ""))
    )
    return hmac.digest(known.encode(), b"graph-directory", "sha256").hex()


def csv_source(
    settings: SourceSettings, _session: ClientSession | None, clock: Callable[[], int]
) -> Source:
    """Return a CSV file of HR's."""
    options = Options(settings).known(
        *_HR, "encoding", "delimiter", "dates", "trailer", "guard", "checked"
    )
    if settings.path is None:
        raise _missing(settings, "path")
    headers, attributes = _sorted_out(settings.attributes, HEADERS)
    layout = Layout(
        headers,
        attributes,
        options.text("encoding"),
        options.text("delimiter"),
        options.text("dates"),
        options.text("trailer"),
        options.text("zone", "UTC"),
    )
    guard = options.number("guard", 0.10)
    feed = CsvFeed(settings.path, layout, guard, options.flag("checked"))
    # A file on disk costs nothing to look at.
    return _hr(settings, options, feed, clock, poll=15.0)


def bamboo_source(
    settings: SourceSettings, session: ClientSession | None, clock: Callable[[], int]
) -> Source:
    """Return a company of BambooHR."""
    options = Options(settings).known(*_HR, "contractors")
    mapped = {*FIELDS, *_BAMBOO_OWN}
    fields, attributes = _sorted_out(settings.attributes, mapped)
    usual = BambooLayout()
    layout = BambooLayout(
        fields,
        attributes,
        _words(options.text("contractors")) or usual.contractors,
        zone=options.text("zone", "UTC"),
    )
    if settings.token is None:
        raise _missing(settings, "token")
    rest = Rest(_session(settings, session), "BambooHR")
    feed = BambooFeed(rest, _needed(settings, "url"), _said(settings.token), layout)
    return _hr(settings, options, feed, clock, poll=300.0)


def workday_source(
    settings: SourceSettings, session: ClientSession | None, clock: Callable[[], int]
) -> Source:
    """Return a tenant of Workday."""
    options = Options(settings).known(*_HR, "token_url", "contractors")
    jobs = {
        name.removeprefix(_JOB): place
        for name, place in settings.attributes.items()
        if name.startswith(_JOB)
    }
    others = {n: p for n, p in settings.attributes.items() if not n.startswith(_JOB)}
    places, attributes = _sorted_out(others, PLACES)
    in_job, beside = _sorted_out(attributes, JOB_PLACES)
    usual = WorkdayLayout()
    layout = WorkdayLayout(
        places,
        {**in_job, **jobs},
        beside,
        _words(options.text("contractors")) or usual.contractors,
        options.text("zone", "UTC"),
    )
    if settings.client_secret is None or settings.token is None:
        raise _missing(settings, "client_secret and token (the refresh token)")
    rest = Rest(_session(settings, session), "Workday")
    tokens = WorkdayTokens(
        rest,
        options.text("token_url") or _missing_option(settings, "token_url"),
        _needed(settings, "client_id"),
        _said(settings.client_secret),
        _said(settings.token),
        monotonic,
    )
    feed = WorkdayFeed(rest, tokens, _needed(settings, "url"), layout)
    return _hr(settings, options, feed, clock, poll=900.0)


def _hr(
    settings: SourceSettings,
    options: Options,
    feed: Feed,
    clock: Callable[[], int],
    *,
    poll: float,
) -> Source:
    return HrSource(
        settings.name,
        feed,
        lambda: datetime.fromtimestamp(clock() / _MICRO, UTC),
        timedelta(days=options.number("ahead", USUAL_AHEAD / timedelta(days=1))),
        options.number("poll", poll),
    )


def _sorted_out(
    given: Mapping[str, str], known: Mapping[str, str] | set[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Tell what the kind has a place for from further attributes."""
    mapped = {name: place for name, place in given.items() if name in known}
    return mapped, {n: place for n, place in given.items() if n not in known}


def _certificate(settings: SourceSettings, path: str) -> str:
    if not path:
        if settings.client_secret is None:
            raise _missing(settings, "client_secret, or the option certificate")
        return ""
    try:
        return Path(path).read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            f"the source {settings.name}'s certificate {path} cannot be read: it is a "
            "PEM file with the certificate and its private key"
        ) from None


def _session(settings: SourceSettings, session: ClientSession | None) -> ClientSession:
    if session is None:
        raise BadInput(f"the source {settings.name} cannot be asked without a network")
    return session


def _needed(settings: SourceSettings, name: str) -> str:
    value: Any = getattr(settings, name)
    if not value:
        raise _missing(settings, name)
    return str(value)


def _missing(settings: SourceSettings, what: str) -> BadInput:
    return BadInput(f"the source {settings.name} of kind {settings.kind} needs {what}")


def _missing_option(settings: SourceSettings, name: str) -> str:
    raise _missing(settings, f"the option {name}")


def _said(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _words(told: str) -> frozenset[str]:
    return frozenset(w.strip().casefold() for w in told.split(",") if w.strip())
