"""Acme's org: few records, but of every sort that matters."""

from datetime import timedelta
from typing import Any

from connectors.sandbox.salesforce import ids
from connectors.sandbox.salesforce.store import ONLY_FOR, Store, shown
from connectors.sandbox.users import PEOPLE, Profile, User

_MONEY = frozenset(
    {
        "Opportunity.Amount",
        "Opportunity.ForecastCategoryName",
        "Account.AnnualRevenue",
        "Account.CreditLimit__c",
    }
)
_ALL = Profile("Integration", everything=True)
_FINANCE = Profile("Sales finance", readonly=frozenset({"Case.Status"}))
_SALES = Profile("Sales", hidden=_MONEY)
_SUPPORT = Profile(
    "Support",
    objects={"*": "crud", "Opportunity": "", "OpportunityHistory": "", "Account": "r"},
    hidden=_MONEY | {"Contact.MobilePhone"},
)
_READERS = Profile("Read only", objects={"*": "r"}, hidden=_MONEY)
# Sees cases, and not what they refer to: no contacts, no comments.
_CASES_ALONE = Profile(
    "Cases alone", objects={"*": "", "Case": "ru", "Account": "r", "User": "r"}
)
_PROFILES = {
    "alice": _SALES,
    "bob": _SALES,
    "carol": _SUPPORT,
    "erin": _SUPPORT,
    "dana": _FINANCE,
    "dave": _FINANCE,
    "frank": _CASES_ALONE,
}
INTEGRATION = "atom"


def users() -> dict[str, User]:
    """Return who has an account, by short name."""
    made = {
        name: User(
            ids.make("User", number),
            name,
            shown_,
            _PROFILES.get(name, _READERS),
            f"{name}@acme.example",
            title=title,
        )
        for number, (name, shown_, title) in enumerate(PEOPLE, 1)
    }
    made[INTEGRATION] = User(
        ids.make("User", 99), INTEGRATION, "ATOM integration", _ALL, "atom@acme.example"
    )
    return made


def fill(store: Store, people: dict[str, User]) -> dict[str, str]:
    """Put the seed into an empty store; returns ids by short names."""
    store.clear()
    for user in people.values():
        values = {"Id": user.id, "Name": user.shown, "Username": user.mail}
        store.create(None, "User", values | {"Email": user.mail})
    queue = store.create(None, "Group", {"Name": "Tier 2 support", "Type": "Queue"})
    names = {"queue": str(queue["Id"])}
    now = store.clock.moment()

    def made(name: str, kind: str, owner: str, ago: float = 5, **values: Any) -> str:
        row = store.create(None, kind, values | {"OwnerId": people[owner].id})
        then = shown(now - timedelta(days=ago))
        row |= {"LastModifiedDate": then, "SystemModstamp": then}
        row |= {"LastModifiedById": people[owner].id, "CreatedById": people[owner].id}
        row["CreatedDate"] = shown(now - timedelta(days=ago + 3))
        names[name] = str(row["Id"])
        return names[name]

    globex = made(
        "globex",
        "Account",
        "bob",
        Name="Globex & Sons",
        Type="Customer",
        Rating="Hot",
        Industry="Manufacturing",
        BillingCity="Springfield",
        BillingCountry="United States",
        Phone="+1 555 010 0199",
        Website="https://www.globex.example",
        AnnualRevenue=84_000_000.0,
        CreditLimit__c=500_000.0,
        LastActivityDate=f"{now - timedelta(days=2):%Y-%m-%d}",
        Description="Runs our platform in four plants.",
    )
    initech = made(
        "initech",
        "Account",
        "alice",
        Name="Initech GmbH",
        Type="Prospect",
        Rating="Warm",
        Industry="Finance",
        BillingCity="Berlin",
        BillingCountry="Germany",
        Website="initech.example",
        AnnualRevenue=12_500_000.0,
    )
    hank = made(
        "hank",
        "Contact",
        "bob",
        FirstName="Hank",
        LastName="Scorpio",
        Title="Chief executive",
        AccountId=globex,
        Email="hank@globex.example",
        Phone="+1 555 010 0100",
        MobilePhone="+1 555 010 0142",
    )
    made(
        "peter",
        "Contact",
        "alice",
        FirstName="Petra",
        LastName="Gibbons",
        Title="Head of operations",
        AccountId=initech,
        Email="petra@initech.example",
        MobilePhone="+49 30 901820",
    )
    renewal = made(
        "renewal",
        "Opportunity",
        "bob",
        Name="Globex – platform renewal FY27",
        AccountId=globex,
        StageName="Negotiation/Review",
        CloseDate=f"{now + timedelta(days=17):%Y-%m-%d}",
        NextStep="Legal redlines back to Globex",
        Amount=1_284_500.0,
        MainCompetitors__c="Hooli Cloud",
    )
    earlier = store.create(
        None,
        "OpportunityHistory",
        {"OpportunityId": renewal, "StageName": "Proposal/Price Quote"},
    )
    earlier["CreatedDate"] = shown(now - timedelta(days=30))
    made(
        "pilot",
        "Opportunity",
        "alice",
        Name="Initech – pilot",
        AccountId=initech,
        StageName="Qualification",
        CloseDate=f"{now + timedelta(days=60):%Y-%m-%d}",
        Amount=48_000.0,
    )
    secret = made(
        "secret",
        "Opportunity",
        "dana",
        Name="Project Kestrel – acquisition",
        StageName="Prospecting",
        CloseDate=f"{now + timedelta(days=90):%Y-%m-%d}",
        Amount=9_900_000.0,
    )
    store.rows["Opportunity"][secret][ONLY_FOR] = {"dana"}
    store.case_number = 1026
    crash = made(
        "crash",
        "Case",
        "carol",
        ago=1,
        Subject="Login page shows an error after the update",
        Status="Working",
        Priority="High",
        Origin="Web",
        Type="Problem",
        AccountId=globex,
        ContactId=hank,
        SlaExitDate=shown(now + timedelta(hours=4)),
        Description="Since this morning everybody at plant two sees error 502.",
    )
    made(
        "invoice",
        "Case",
        "carol",
        Subject="Invoice 4711 has the wrong address",
        Status="New",
        Priority="Low",
        Origin="Email",
        Type="Question",
        AccountId=initech,
    )
    waiting = made(
        "waiting",
        "Case",
        "carol",
        Subject="Export takes an hour",
        Status="New",
        Priority="Medium",
        Origin="Phone",
        Type="Problem",
        AccountId=globex,
    )
    store.rows["Case"][waiting]["OwnerId"] = names["queue"]
    for body, public in (
        ("We see it too and are working on it.", True),
        ("Root cause is the new certificate. Do not tell the customer yet.", False),
    ):
        store.create(
            None,
            "CaseComment",
            {
                "ParentId": crash,
                "CommentBody": body,
                "IsPublished": public,
                "CreatedById": people["carol"].id,
            },
        )
    store.changes.clear()
    return names
