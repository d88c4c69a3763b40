"""What the doctor looks at of the book of accounts and contacts: is it read, and when."""

from collections.abc import Sequence
from itertools import groupby

from bots.doctor.findings import Finding, good, poor
from bots.settings import Settings
from bridge.records.knowing import Figure
from storage.companies import StoredCompanies
from storage.database import Database
from storage.records.contacts import figures_of

_OLD_US = 2 * 3_600_000_000
_MINUTE_US = 60_000_000
_FIX = "look in ATOM's own log for 'contacts not read', and at the account's rights"


async def contacts(
    database: Database, settings: Settings, now_us: int
) -> Sequence[Finding]:
    """Look at each system that is read; nothing is said where there is none."""
    if not settings.records:
        return []
    found: list[Finding] = []
    for company in await StoredCompanies(database.engine, lambda: now_us).all():
        figures = await figures_of(database.hot, company.id)
        by_instance = groupby(figures, key=lambda one: one.progress.chapter.instance)
        found += [_finding(name, [*group], now_us) for name, group in by_instance]
    return found


def _finding(instance: str, figures: Sequence[Figure], now_us: int) -> Finding:
    what = f"records {instance}"
    known = " and ".join(f"{one.many} {one.progress.chapter.kind}s" for one in figures)
    since = max(0, now_us - min(one.progress.since_us for one in figures))
    if since > _OLD_US:
        hours = since // 3_600_000_000
        return poor(what, f"knows {known}, as of {hours} hours ago", _FIX)
    if any(not one.progress.whole_lap for one in figures):
        return good(what, f"knows {known} so far, and reads on")
    return good(what, f"knows {known}, as of {since // _MINUTE_US} minutes ago")
