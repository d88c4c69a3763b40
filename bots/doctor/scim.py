"""What the doctor looks at of the SCIM server: its tokens, and who follows it."""

from collections.abc import Sequence

from bots.doctor.findings import Finding, good, poor
from bots.settings import Settings
from bridge.directory.scim import Token
from storage.companies import StoredCompanies
from storage.database import Database
from storage.hot import Row, Statement

_SOON_US = 14 * 86_400_000_000
_CREATE = "run 'atom directory scim token create' and enter it at your provider"


async def scim(
    database: Database, settings: Settings, now_us: int
) -> Sequence[Finding]:
    """Look at each company's tokens: none are needed, but those that are used are."""
    found: list[Finding] = []
    for company in await StoredCompanies(database.engine, lambda: now_us).all():
        rows = await database.hot.fetch(_tokens_of(company.id))
        found += _of_company(company.id, [_token(row) for row in rows], now_us)
    follows = any(each.kind == "scim" for each in settings.directory.all_sources)
    if found and not follows:
        fix = "add it under [[directory.sources]]: see docs/directory.md"
        found.append(poor("scim", "the directory has no source of kind scim", fix))
    return found or [good("scim", "off: there are no tokens")]


def _of_company(
    company: str, tokens: Sequence[Token], now_us: int
) -> Sequence[Finding]:
    live = [token for token in tokens if token.live(now_us)]
    if not live:
        used = [t for t in tokens if t.used_us and not t.revoked_us]
        if not used:
            return []
        return [poor("scim", f"{company}: its last token has expired", _CREATE)]
    last = max(token.expires_us for token in live)
    if last - now_us < _SOON_US:
        days = max(0, (last - now_us) // 86_400_000_000)
        return [poor("scim", f"{company}: its token expires in {days} days", _CREATE)]
    return [good("scim", f"{company}: {len(live)} live")]


def _tokens_of(company: str) -> Statement:
    return Statement(
        "SELECT id, tenant, note, created_by, created_us, expires_us, revoked_us, "
        "used_us FROM scim_token WHERE tenant = :tenant",
        {"tenant": company},
    )


def _token(row: Row) -> Token:
    return Token(*row)
