"""Reading the configuration that a record of processing is made from."""

from collections import Counter

from storage.companies import StoredCompanies
from storage.compliance.gdpr.assessments import Register
from storage.compliance.gdpr.processing import Rule, Setup
from storage.compliance.rights.duties import StoredDuties
from storage.compliance.rights.officers import short
from storage.hot import HotStore, Statement
from storage.links import StoredLinks
from storage.records.contacts import figures_of


async def rules_of(store: HotStore, tenant: str) -> list[Rule]:
    """Return the retention rules in force, by id: the newest version of each."""
    rows = await store.fetch(
        Statement(
            "SELECT r.id, r.name, r.kind, r.value, r.keep_us, r.delete_us "
            "FROM retention_rule r WHERE r.tenant = :tenant AND r.removed = 0 "
            "AND r.version = (SELECT max(n.version) FROM retention_rule n "
            "WHERE n.tenant = r.tenant AND n.id = r.id) ORDER BY r.id",
            {"tenant": tenant},
        )
    )
    return [Rule(*row) for row in rows]


async def setup_of(
    tenant: str,
    companies: StoredCompanies,
    links: StoredLinks,
    duties: StoredDuties,
    register: Register,
) -> Setup:
    """Read what a company's ATOM is told to do. Raises `StoreUnavailable`."""
    [company] = [one for one in await companies.all() if one.id == tenant]
    accounts = await companies.accounts(tenant)
    store = duties.store
    return Setup(
        company=company.name,
        contact=company.admin_email,
        accounts=[(str(a.platform), a.id, a.name) for a in accounts],
        links=await links.all(tenant),
        rules=await rules_of(store, tenant),
        connectors=(),
        storage=await _storage(store, tenant),
        officers=Counter(short(trust.duty) for trust in await duties.all(tenant)),
        assessments=Counter(one.state for one in await register.all(tenant)),
        books=await _books(store, tenant),
    )


async def _books(store: HotStore, tenant: str) -> list[str]:
    chapters = [one.progress.chapter for one in await figures_of(store, tenant)]
    return sorted({f"{each.system} ({each.instance})" for each in chapters})


async def _storage(store: HotStore, tenant: str) -> list[str]:
    keks = await store.fetch(
        Statement(
            "SELECT provider, version, state FROM tenant_kek WHERE tenant = :tenant "
            "ORDER BY version",
            {"tenant": tenant},
        )
    )
    return [
        "every entry is sealed with AES-256-GCM under a key of its own (HKDF-SHA-256)",
        *(
            f"key-encryption key version {version} in {provider}: {state}"
            for provider, version, state in keks
        ),
        "every entry is a leaf of an RFC 6962 tree whose head is signed (Ed25519)",
        "officers have duties by name; exports and destroying keys take two persons",
    ]
