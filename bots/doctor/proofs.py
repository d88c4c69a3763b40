"""What the doctor looks at of the log's proofs: keys, and what was signed."""

from collections.abc import Sequence

from bots.doctor.findings import Finding, bad, good, poor
from bots.settings import Settings
from bridge.errors import AtomError
from storage.companies import StoredCompanies
from storage.compliance.proofs.high_water import HighWater
from storage.compliance.proofs.keeper import LogBroken, TreeKeeper
from storage.compliance.proofs.publisher import Contradiction, Publisher
from storage.compliance.proofs.signers import Signers
from storage.compliance.proofs.signing_keys import SigningKeys
from storage.database import Database
from storage.hot import Statement

_SILENT_US = 60 * 1_000_000


async def proofs(
    database: Database, settings: Settings, now_us: int
) -> Sequence[Finding]:
    """See whether each company's log goes on from all that was signed."""
    store = database.hot
    signers = Signers(store, SigningKeys.under(settings.home), lambda: now_us)
    publisher = Publisher(
        store,
        TreeKeeper(store),
        signers,
        HighWater.under(settings.home),
        lambda: now_us,
    )
    found: list[Finding] = []
    for company in await StoredCompanies(database.engine, lambda: now_us).all():
        try:
            if not await signers.known(company.id):
                continue
            await signers.current(company.id)
            checkpoint = await publisher.check(company.id)
            found.append(good("proofs", f"{company.id}: {checkpoint.size} entries"))
        except (Contradiction, LogBroken) as error:
            fix = "keep both statements: 'atom log head' prints them; call your auditor"
            found.append(bad("proofs", f"{company.id}: {error}", fix))
        except AtomError as error:
            fix = "restore ATOM_HOME/keys from a backup; nothing is signed until then"
            found.append(bad("proofs", f"{company.id}: {error}", fix))
        found += await _heard(database, company.id, now_us)
    return found


async def _heard(database: Database, tenant: str, now_us: int) -> Sequence[Finding]:
    rows = await database.hot.fetch(
        Statement(
            "SELECT c.size, c.at_us, h.size, "
            "(SELECT count(*) FROM worker w WHERE w.until_us > :now) "
            "FROM checkpoint c JOIN head h ON h.tenant = c.tenant "
            "WHERE c.tenant = :tenant ORDER BY c.size DESC LIMIT 1",
            {"tenant": tenant, "now": now_us},
        )
    )
    if not rows or now_us - rows[0][1] < _SILENT_US:
        return []
    size, at_us, head, serving = rows[0]
    seconds = (now_us - at_us) // 1_000_000
    if serving:
        # It signs twice a minute, whether there is news or not: somebody keeps it.
        detail = f"{tenant}: ATOM serves, and signed nothing for {seconds} s"
        return [bad("proofs", detail, "look for 'checkpoint refused' in its output")]
    if size == head:
        return []
    detail = f"{tenant}: {head - size} entries are signed by no checkpoint"
    return [poor("proofs", detail, "start 'atom serve': it signs twice a minute")]
