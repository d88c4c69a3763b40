"""The book of accounts and contacts, on every database, as two processes hold it."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.messages import Platform
from bridge.records.knowing import Chapter, Listed, Page, Progress, asked, clues
from bridge.records.model import RecordRef, System
from storage.compliance.acts import Acts
from storage.compliance.gdpr.assessments import Register
from storage.compliance.gdpr.processing import markdown, record
from storage.compliance.gdpr.processing_setup import setup_of
from storage.compliance.rights.duties import StoredDuties
from storage.hot import Program, Statement
from storage.people.accounts import StoredAccounts
from storage.records.contacts import StoredContacts
from storage.records.forgetting import forgotten, never_again
from tests.contract.conftest import TENANT, Store, ticking_clock

CONTACTS = Chapter(TENANT, System.SALESFORCE, "crm", "contact")
ACCOUNTS = replace(CONTACTS, kind="account")
NOW = 1_900_000_000_000_000


def ref(id_: str, chapter: Chapter = CONTACTS) -> RecordRef:
    return RecordRef(chapter.system, chapter.instance, chapter.kind, id_)


GLOBEX = Listed(ref("001g", ACCOUNTS), 1, clues(["Globex & Sons"], (), ["globex.com"]))
HANK = Listed(ref("003h"), 1, clues(["Hank Scorpio"], ["hank@globex.com"]), GLOBEX.ref)
PETRA = Listed(ref("003p"), 2, clues(["Petra Scorpio"], ["petra@initech.com"]))


def page(
    *listed: Listed,
    gone: Iterable[Listed] = (),
    to: str = "end",
    complete: bool = True,
) -> Page:
    return Page(listed, tuple(one.ref for one in gone), to, complete)


@pytest.fixture
def book(store: Store) -> StoredContacts:
    store.keys.create("initech")
    return StoredContacts(store.database.hot, store.ring)


async def lap(book: StoredContacts, chapter: Chapter = CONTACTS) -> Progress:
    """Begin a lap, and return where it is."""
    assert await book.begin(await book.progress(chapter), NOW)
    return await book.progress(chapter)


async def read(book: StoredContacts, *pages: Page, chapter: Chapter = CONTACTS) -> None:
    """Read a whole lap."""
    await lap(book, chapter)
    for each in pages:
        assert await book.take(await book.progress(chapter), each, NOW)


async def found(
    book: StoredContacts, words: str, chapter: Chapter = CONTACTS
) -> list[RecordRef]:
    return list(await book.find(chapter, asked(words), 10))


async def test_an_empty_book_knows_nobody(book: StoredContacts) -> None:
    assert await found(book, "hank@globex.com") == []
    assert await book.figures(TENANT) == []
    assert await book.accounts(TENANT, [HANK.ref]) == {}
    progress = await book.progress(CONTACTS)
    assert progress == Progress(CONTACTS)
    assert not progress.under_way


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("HANK@Globex.com", [HANK]),
        ("scorpio", [HANK, PETRA]),
        ("Scorpio Hank", [HANK]),
        ("scorpio smith", []),
        ("smith", []),
        ("globex.com", []),
        ("!!", []),
    ],
)
async def test_a_contact_is_found_by_all_that_is_asked(
    book: StoredContacts, words: str, who: list[Listed]
) -> None:
    await read(book, page(HANK, PETRA))

    assert await found(book, words) == [one.ref for one in who]


async def test_an_account_is_found_by_its_site_and_its_contacts(
    book: StoredContacts,
) -> None:
    await read(book, page(GLOBEX), chapter=ACCOUNTS)
    await read(book, page(HANK, PETRA))

    assert await found(book, "https://www.globex.com/", ACCOUNTS) == [GLOBEX.ref]
    accounts = await book.accounts(TENANT, [HANK.ref, PETRA.ref, ref("003x")])
    assert accounts == {HANK.ref: GLOBEX.ref}


async def test_no_more_are_found_than_wanted(book: StoredContacts) -> None:
    many = [replace(HANK, ref=ref(f"003{n}")) for n in range(5)]
    await read(book, page(*many))

    assert len(await book.find(CONTACTS, asked("hank"), 3)) == 3


async def test_other_companies_and_instances_find_nothing(book: StoredContacts) -> None:
    await read(book, page(HANK))

    for other in (
        replace(CONTACTS, tenant="initech"),
        replace(CONTACTS, instance="crm2"),
        replace(CONTACTS, system=System.HUBSPOT),
        ACCOUNTS,
    ):
        assert await found(book, "hank@globex.com", other) == []
    assert await book.accounts("initech", [HANK.ref]) == {}
    assert await book.figures("initech") == []


async def test_two_companies_hash_the_same_address_each_for_itself(
    store: Store, book: StoredContacts
) -> None:
    await read(book, page(HANK))
    there = replace(CONTACTS, tenant="initech")
    await read(book, page(HANK), chapter=there)

    rows = await store.database.hot.fetch(
        Statement("SELECT tenant, clue FROM record_clue")
    )

    ours = {clue for tenant, clue in rows if tenant == TENANT}
    theirs = {clue for tenant, clue in rows if tenant == "initech"}
    assert len(ours) == len(theirs) == len(HANK.clues)
    assert not ours & theirs


async def test_the_database_holds_no_name_and_no_address(
    store: Store, book: StoredContacts
) -> None:
    await read(book, page(HANK), chapter=CONTACTS)
    await read(book, page(GLOBEX), chapter=ACCOUNTS)

    text = ""
    for table in ("record_known", "record_clue", "record_chapter", "record_erased"):
        rows = await store.database.hot.fetch(Statement(f"SELECT * FROM {table}"))  # noqa: S608 - names are ours
        text += repr([tuple(row) for row in rows]).lower()

    assert "003h" in text
    for word in ("hank", "scorpio", "globex", "sons"):
        assert word not in text


async def test_a_changed_record_is_known_by_what_is_true_now(
    book: StoredContacts,
) -> None:
    await read(book, page(HANK, to="1"))
    moved = Listed(
        HANK.ref, 2, clues(["Hank Scorpio"], ["hank@new.com"]), ref("001n", ACCOUNTS)
    )

    assert await book.take(await book.progress(CONTACTS), page(moved, to="2"), NOW)

    assert await found(book, "hank@globex.com") == []
    assert await found(book, "hank@new.com") == [HANK.ref]
    accounts = await book.accounts(TENANT, [HANK.ref])
    assert accounts[HANK.ref].id == "001n"


async def test_who_belongs_to_another_account_now_is_known_so(
    book: StoredContacts,
) -> None:
    await read(book, page(HANK, to="1"))
    alone = replace(HANK, rev=2, account=None)

    assert await book.take(await book.progress(CONTACTS), page(alone, to="2"), NOW)

    assert await book.accounts(TENANT, [HANK.ref]) == {}
    assert await found(book, "hank") == [HANK.ref]


async def test_what_was_deleted_is_not_known_any_more(book: StoredContacts) -> None:
    await read(book, page(HANK, PETRA, to="1"))

    gone = page(gone=[HANK], to="2")
    assert await book.take(await book.progress(CONTACTS), gone, NOW)

    assert await found(book, "scorpio") == [PETRA.ref]
    assert [figure.many for figure in await book.figures(TENANT)] == [1]


async def test_a_lap_drops_what_it_did_not_see_at_its_end_alone(
    book: StoredContacts,
) -> None:
    await read(book, page(HANK, PETRA))
    await lap(book)
    first = page(PETRA, to="1", complete=False)
    assert await book.take(await book.progress(CONTACTS), first, NOW)
    assert await found(book, "scorpio") == [HANK.ref, PETRA.ref]

    assert await book.take(await book.progress(CONTACTS), page(to="2"), NOW + 5)

    assert await found(book, "scorpio") == [PETRA.ref]
    now = await book.progress(CONTACTS)
    assert (now.lap, now.whole_lap, now.whole_us) == (2, 2, NOW + 5)
    assert not now.under_way


async def test_changes_between_laps_drop_nothing(book: StoredContacts) -> None:
    await read(book, page(HANK, to="1"))

    assert await book.take(await book.progress(CONTACTS), page(PETRA, to="2"), NOW)

    assert await found(book, "scorpio") == [HANK.ref, PETRA.ref]


async def test_a_lap_that_sees_nothing_leaves_nothing(book: StoredContacts) -> None:
    await read(book, page(HANK))
    await read(book, page(to=""))

    assert await found(book, "hank") == []


async def test_a_page_is_taken_once(store: Store, book: StoredContacts) -> None:
    other = StoredContacts(
        store.database.hot, store.another_process("two").ring
    )  # with keys of its own, opened anew
    progress = await lap(book)

    assert await book.take(progress, page(HANK, to="1", complete=False), NOW)
    assert not await other.take(progress, page(PETRA, to="1", complete=False), NOW)

    assert await found(other, "scorpio") == [HANK.ref]


async def test_a_page_of_an_earlier_lap_is_not_taken(book: StoredContacts) -> None:
    slow = await lap(book)
    assert await book.begin(slow, NOW)

    assert not await book.take(slow, page(HANK), NOW)
    assert not await book.begin(slow, NOW)
    assert await found(book, "hank") == []


async def test_taking_the_same_again_changes_nothing(book: StoredContacts) -> None:
    await read(book, page(HANK, to="1"))
    for _ in range(2):
        same = page(HANK, to="1")
        assert await book.take(await book.progress(CONTACTS), same, NOW)

    assert await found(book, "hank@globex.com") == [HANK.ref]
    assert [figure.many for figure in await book.figures(TENANT)] == [1]


async def test_progress_tells_how_old_the_book_is(book: StoredContacts) -> None:
    progress = await lap(book)
    part = page(HANK, to="1", complete=False)
    assert await book.take(progress, part, NOW + 1)
    halfway = await book.progress(CONTACTS)
    assert await book.take(halfway, page(to="2"), NOW + 2)
    await book.stir(CONTACTS, NOW + 3)
    await book.stir(ACCOUNTS, NOW + 3)  # nobody reads these: nothing to be stirred

    assert halfway == Progress(CONTACTS, 1, 0, "1", NOW, 0, 0, 0)
    assert halfway.under_way
    assert await book.progress(CONTACTS) == Progress(
        CONTACTS, 1, 1, "2", NOW, NOW + 2, NOW + 2, NOW + 3
    )
    (figure,) = await book.figures(TENANT)
    assert figure.progress == await book.progress(CONTACTS)


async def test_what_is_not_to_be_kept_is_dropped(book: StoredContacts) -> None:
    await read(book, page(HANK))
    await read(book, page(GLOBEX), chapter=ACCOUNTS)
    there = replace(CONTACTS, tenant="initech")
    await read(book, page(HANK), chapter=there)

    assert await book.keep_only(TENANT, [ACCOUNTS]) == 1

    assert await found(book, "hank") == []
    assert await book.progress(CONTACTS) == Progress(CONTACTS)
    assert await found(book, "globex", ACCOUNTS) == [GLOBEX.ref]
    assert await found(book, "hank", there) == [HANK.ref]
    assert await book.keep_only(TENANT, [ACCOUNTS]) == 0


async def erase(store: Store, user: str, *addresses: str) -> None:
    """Do what erasing a person does about the book."""
    boxes = await never_again(store.ring, TENANT, addresses)

    def program() -> Program[None]:
        for statement in (*boxes, *forgotten(TENANT, "slack", user)):  # noqa: UP028
            yield statement

    await store.database.hot.run(program)


async def test_who_is_erased_is_not_known_and_not_taken_in_again(
    store: Store, book: StoredContacts
) -> None:
    there = replace(CONTACTS, tenant="initech")
    await read(book, page(HANK, PETRA, to="1"))
    await read(book, page(HANK), chapter=there)

    await erase(store, "U_1", "HANK@globex.com", "no address")

    assert await found(book, "scorpio") == [PETRA.ref]
    assert await found(book, "scorpio", there) == [HANK.ref]
    again = page(replace(HANK, rev=2), PETRA, to="2")
    assert await book.take(await book.progress(CONTACTS), again, NOW)
    assert await found(book, "scorpio") == [PETRA.ref]
    assert await found(book, "hank@globex.com") == []
    assert await book.accounts(TENANT, [HANK.ref]) == {}


async def test_an_address_that_an_account_rests_on_is_erased_with_it(
    store: Store, book: StoredContacts, acts: Acts
) -> None:
    links = StoredAccounts(store.database.hot, acts, store.ring, ticking_clock())
    for user, address in (("U_1", "hank@globex.com"), ("U_2", "petra@initech.com")):
        account = Account(Platform.SLACK, "T1", user)
        link = AccountLink(account, f"p-{user}", Confidence.ADDRESS, How.ADDRESS)
        await links.keep(TENANT, link, "theirs", address)
    await read(book, page(HANK, PETRA))

    await erase(store, "U_1")

    assert await found(book, "scorpio") == [PETRA.ref]


async def test_a_page_may_be_as_large_as_systems_give_them(
    book: StoredContacts,
) -> None:
    many = [
        Listed(ref(f"003{n:05d}"), n, clues([f"Person {n}"], [f"p{n}@globex.com"]))
        for n in range(2_000)
    ]

    await read(book, page(*many))
    await read(book, page(*many[:-1]))

    assert await found(book, "p1998@globex.com") == [many[1998].ref]
    assert await found(book, "p1999@globex.com") == []
    assert [figure.many for figure in await book.figures(TENANT)] == [1_999]


async def test_the_record_of_processing_says_whose_contacts_are_known(
    store: Store, book: StoredContacts
) -> None:
    clock = ticking_clock()
    await store.companies.create(TENANT, "Acme", "ada@acme.example")
    hot, acts = store.database.hot, Acts(store.journal, clock)
    duties = StoredDuties(hot, acts, clock)
    register = Register(hot, acts, duties, clock)
    ways = (store.companies, store.links, duties, register)

    before = record(await setup_of(TENANT, *ways))
    await read(book, page(HANK))
    await read(book, page(GLOBEX), chapter=ACCOUNTS)
    after = record(await setup_of(TENANT, *ways))

    assert len(after["activities"]) == len(before["activities"]) + 1
    text = markdown(after)
    assert "finding whose contact somebody is in salesforce (crm)" in text
    assert "keyed hashes of addresses" in text
