"""What somebody gets who asks: all of theirs, once, and nobody else's name."""

import jsonschema
import pytest

from bridge.delivery import AttemptState
from bridge.errors import BadInput
from bridge.messages import Channel, EventKind, Person, Platform
from storage.compliance.gdpr.decisions import Decisions, proposed
from storage.compliance.gdpr.gathering import gather
from storage.compliance.gdpr.package import Context, access_package, packed
from storage.compliance.gdpr.page import page_of
from storage.compliance.gdpr.portability import SCHEMA, portable
from storage.compliance.gdpr.subjects import Subject
from tests.contract.conftest import TENANT, Store
from tests.contract.gdpr import ALICE, BOB, EVE, Office, calling, office
from tests.contract.letters import ended, said
from tests.events import ALICE as PERSON
from tests.events import FALCON, PROJECT, words

CONTEXT = Context("acme", ("kept 365 days",), ("evidence",))


@pytest.fixture
async def open_office(store: Store) -> Office:
    return await office(store)


async def test_all_revisions_are_in_it_and_a_copy_is_not_counted_again(
    store: Store, open_office: Office
) -> None:
    link = open_office.link
    await said(store, link, "17.1", text="first")
    await ended(store, AttemptState.DELIVERED)
    await said(
        store, link, "17.1", text="second", kind=EventKind.MESSAGE_EDIT, version_us=5
    )
    await ended(store, AttemptState.DELIVERED)
    await said(store, link, "17.2", text="another's", author=BOB)

    found = await gather(store.reader, TENANT, ALICE)
    data = access_package(ALICE, found, Decisions(), CONTEXT)

    assert [one["text"] for one in data["said_and_done"]] == ["first", "second"]
    assert data["counts"] == {"messages": 1, "entries": 2, "about": 0}
    assert data["recipients"] == [{"channel": str(PROJECT), "copies": 1}]
    assert data["retention"] == ["kept 365 days"]
    [decision] = data["logic"]["decisions"]
    assert (decision["result"], decision["rule"], decision["times"]) == (
        "allowed",
        "default",
        2,
    )
    assert "another's" not in packed(data).decode()


async def test_a_copy_in_another_channel_of_the_same_platform_is_none_of_theirs(
    store: Store, open_office: Office
) -> None:
    random = Channel(Platform.SLACK, "T01ACME", "C03RANDOM")
    link = await store.links.add(TENANT, (FALCON, random), "cli:ada")
    await said(store, link, "17.1", text="once")
    await ended(store, AttemptState.DELIVERED)

    found = await gather(store.reader, TENANT, ALICE)

    assert [entry.body["text"] for entry in found.mine] == ["once"]
    assert dict(found.recipients) == {str(random): 1}


async def test_both_platforms_identities_are_one_person(
    store: Store, open_office: Office
) -> None:
    there = Person(Platform.TEAMS, "29:alice", "Alice Wong")
    await said(store, open_office.link, "17.1", text="in slack")
    await said(
        store,
        open_office.link,
        "t1",
        text="in teams",
        author=there,
        platform=Platform.TEAMS,
        account="acme-tenant",
        channel=PROJECT,
        unheard=True,
    )
    both = Subject.parse(["slack:T01ACME/U01ALICE", "teams:acme-tenant/29:alice"])

    one = await gather(store.reader, TENANT, ALICE)
    two = await gather(store.reader, TENANT, both)

    assert (len(one.mine), len(two.mine)) == (1, 2)


async def test_third_parties_are_numbers_unless_an_officer_decided_otherwise(
    store: Store, open_office: Office
) -> None:
    link = open_office.link
    await said(store, link, "17.1", document=calling(BOB, EVE))
    about = await said(
        store, link, "17.2", author=BOB, document=calling(PERSON, EVE, text="tell ")
    )
    named = await said(
        store, link, "17.3", author=EVE, text="alice wong did it with bob stone"
    )
    found = await gather(store.reader, TENANT, ALICE)

    data = access_package(ALICE, found, Decisions(), CONTEXT)
    told = packed(data).decode() + page_of(data).decode()

    for secret in ("bob", "eve", "u02bob", "u03eve"):
        assert secret not in told.casefold()
    assert [one["text"] for one in data["said_about_you"]] == [
        "tell @[you]@[person 2]",
        "alice wong did it with [person 1]",
    ]
    assert [one["by"] for one in data["said_about_you"]] == ["person 1", "person 2"]
    assert [d["seq"] for d in proposed(found.about)["decisions"]] == [about, named]

    decided = Decisions.parse(
        b'{"decisions": [{"seq": %d, "do": "show", "why": "Bob agreed"},'
        b'{"seq": %d, "do": "withhold", "why": "an investigation"}]}' % (about, named)
    )
    shown = access_package(ALICE, found, decided, CONTEXT)

    assert [one["by"] for one in shown["said_about_you"]] == ["Bob Stone"]
    assert shown["withheld"] == {"count": 1, "why": ["an investigation"]}
    assert "did it" not in packed(shown).decode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"decisions": [{"seq": "x", "do": "show"}]}',
        b'{"decisions": [{"seq": 1, "do": "burn", "why": "x"}]}',
        b'{"decisions": [{"seq": 1, "do": "show", "why": " "}]}',
    ],
)
def test_a_list_that_is_none_or_gives_no_reason_is_refused(text: bytes) -> None:
    with pytest.raises(BadInput):
        Decisions.parse(text)


async def test_what_they_gave_follows_the_schema(
    store: Store, open_office: Office
) -> None:
    link = open_office.link
    await said(store, link, "17.1", text="first")
    await said(
        store, link, "17.1", text="second", kind=EventKind.MESSAGE_EDIT, version_us=5
    )
    await said(store, link, "17.2", text="gone")
    await said(store, link, "17.2", text="", kind=EventKind.MESSAGE_DELETE)
    await said(store, link, "17.3", author=BOB, document=calling(PERSON))

    data = portable(ALICE, await gather(store.reader, TENANT, ALICE))

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(data, SCHEMA)
    kept, gone = data["messages"]
    assert [one["text"] for one in kept["revisions"]] == ["first", "second"]
    assert (kept["deleted"], gone["deleted"]) == (False, True)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "more": 1}, SCHEMA)


async def test_the_page_shows_markup_as_text_and_loads_nothing(
    store: Store, open_office: Office
) -> None:
    evil = "<script>alert(1)</script><img src=x>"
    await said(store, open_office.link, "17.1", document=words(evil))

    found = await gather(store.reader, TENANT, ALICE)
    page = page_of(access_package(ALICE, found, Decisions(), CONTEXT)).decode()

    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page


async def test_what_was_erased_is_not_in_it(store: Store, open_office: Office) -> None:
    seq = await said(store, open_office.link, "17.1", text="burn this")
    await open_office.erase(seq)

    found = await gather(store.reader, TENANT, ALICE)
    data = access_package(ALICE, found, Decisions(), CONTEXT)

    assert (data["said_and_done"], data["counts"]["entries"]) == ([], 0)
    assert "cannot be read" in data["erased"]
    assert b"burn this" not in packed(data)
