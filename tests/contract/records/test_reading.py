"""Every system reads many records in few calls, and tells apart why one is not there."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.records.hints import may_name
from bridge.records.model import Absence, Record, RecordRef
from bridge.records.ports import Spent
from tests.contract.records.asking import asked, reached
from tests.contract.records.conftest import classed, numbered
from tests.contract.records.worlds import World
from tests.stand_ins import Account


async def test_a_link_names_its_record(world: World, reader: Account) -> None:
    url = world.sample.url
    text = f"Look at <{url}>, please."

    (mention,) = world.records.recognise(text)

    # A link holds the record's own id, or a number to be looked up.
    found = await world.records.resolve(reader, [mention])
    assert (mention.ref or found[mention.key]) == world.sample.open[0]
    assert text[mention.start : mention.end] == mention.url == url


@given(data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_what_names_a_record_is_never_taken_for_what_cannot(
    world: World, data: st.DataObject
) -> None:
    """Messages that name nothing are not opened, so that a miss would lose a card."""
    letters = st.sampled_from("ABCINCHGQKSwxz019٣-_/.:# \n")
    parts = st.one_of(
        st.sampled_from([world.sample.url, world.sample.key, "ACME-", "CS-", "KB"]),
        st.text(letters, max_size=14),
        st.text(max_size=6),
    )
    text = "".join(data.draw(st.lists(parts, max_size=6)))

    if world.records.recognise(text):
        assert may_name(text)


async def test_a_link_elsewhere_names_nothing(world: World) -> None:
    elsewhere = world.sample.url.replace("127.0.0.1", "evil.example")

    assert list(world.records.recognise(elsewhere)) == []


@pytest.mark.parametrize("world", numbered(), indirect=True)
async def test_a_number_is_looked_up(world: World, reader: Account) -> None:
    key = world.sample.key
    assert key
    mentions = world.records.recognise(f"See {key}.")

    found = await world.records.resolve(reader, mentions)

    assert found == {key: world.sample.keyed}


async def test_many_are_read_in_few_calls(world: World, reader: Account) -> None:
    await world.records.read(reader, world.sample.open)
    before = len(world.told.calls())

    found = await world.records.read(reader, world.sample.open)

    assert set(found) == set(world.sample.open)
    assert all(isinstance(one, Record) for one in found.values())
    assert len(world.told.calls()) - before <= world.batch


async def test_what_is_not_there_and_what_is_not_yours_look_the_same(
    world: World, reader: Account
) -> None:
    asked = [world.sample.gone, world.sample.secret, world.sample.open[0]]

    found = await world.records.read(reader, asked)

    assert found[world.sample.gone] is Absence.GONE
    assert found[world.sample.secret] is Absence.GONE
    assert isinstance(found[world.sample.open[0]], Record)


@pytest.mark.parametrize("world", classed(), indirect=True)
async def test_each_account_sees_its_own_fields(world: World) -> None:
    assert world.sample.money
    ref, name = world.sample.open[0], world.sample.money
    seen = {}
    for who in ("reader", "insider", "reader"):
        found = (await world.records.read(world.account(who), [ref]))[ref]
        assert isinstance(found, Record)
        seen[who] = found.fact(name)

    assert seen["reader"] is None
    fact = seen["insider"]
    assert fact is not None
    assert fact.text
    assert fact.cls != "public"


@pytest.mark.parametrize("kind", ["status", "html", "truncate", "drop"])
async def test_a_system_that_is_down_is_unreachable(
    world: World, reader: Account, kind: str
) -> None:
    world.told.fault(kind, times=50, arg=503)

    found = await world.records.read(reader, world.sample.open)

    assert set(found.values()) == {Absence.UNREACHABLE}


async def test_a_truncated_answer_is_asked_for_again(
    world: World, reader: Account
) -> None:
    world.told.fault("truncate", times=1)

    found = await world.records.read(reader, world.sample.open[:1])

    assert isinstance(found[world.sample.open[0]], Record)


async def test_no_budget_is_not_no_record(world: World, reader: Account) -> None:
    world.budget.left = 0

    found = await world.records.read(reader, world.sample.open)

    assert set(found.values()) == {Absence.SPENT}
    assert world.told.calls() == []


async def test_an_account_that_is_not_connected_any_more(
    world: World, reader: Account
) -> None:
    await reader.token()
    reader.run_out()
    reader.renewable = False

    found = await world.records.read(reader, world.sample.open)

    assert set(found.values()) == {Absence.UNCONNECTED}


async def test_a_rate_limit_stops_all_calls(world: World, reader: Account) -> None:
    world.told.fault("ratelimit", times=50, arg=30)

    found = await world.records.read(reader, world.sample.open)
    asked = len(world.told.calls())
    again = await world.records.read(reader, world.sample.open)

    assert set(found.values()) == set(again.values()) == {Absence.SPENT}
    assert len(world.told.calls()) == asked


async def test_twenty_calls_renew_a_token_once(world: World, reader: Account) -> None:
    await reader.token()
    reader.run_out()

    answers = await asyncio.gather(
        *(world.records.read(reader, world.sample.open[:1]) for _ in range(20))
    )

    assert all(isinstance(one[world.sample.open[0]], Record) for one in answers)
    assert reader.renewals == 1


async def test_words_find_records(world: World, reader: Account) -> None:
    found = await world.records.find(reader, world.sample.title_word, 5)

    assert world.sample.open[0] in [one.ref for one in found]
    assert all(isinstance(one, Record) for one in found)


async def test_search_finds_only_what_the_account_sees(
    world: World, reader: Account
) -> None:
    secret = (
        await world.records.read(world.account("insider"), [world.sample.secret])
    )[world.sample.secret]
    assert isinstance(secret, Record)

    found = await world.records.find(reader, secret.title.split()[1], 20)

    assert world.sample.secret not in [one.ref for one in found]


async def test_no_more_is_found_than_was_asked_for(
    world: World, reader: Account
) -> None:
    assert len(await world.records.find(reader, world.sample.title_word, 1)) == 1
    assert list(await world.records.find(reader, " ", 5)) == []


HOSTILE = (
    "x' OR Name != '",
    "INC1^ORactive=true",
    "^NQactive=true",
    "javascript:gs.getUser()",
    '"} RETURNING User(Id)',
    '" OR project = SECRET',
    "../../User/005",
    "//evil.example",
    "\\' OR Id != null --",
    "renewal} IN ALL FIELDS RETURNING User",
    "%",
    "_____",
    "😀" * 50,
    "a" * 10_000,
)


@pytest.fixture
async def usual(world: World, reader: Account) -> frozenset[str]:
    """Return every question that a plain search leads to, without its values."""
    for ref in world.sample.open:
        await world.records.read(reader, [ref])
    for words in filter(None, (world.sample.title_word, world.sample.key)):
        await world.records.find(reader, words, 20)
    entries = world.told.stand_in.journal.all()
    return frozenset(each for entry in entries for each in asked(entry))


async def searched(
    world: World, reader: Account, usual: frozenset[str], words: str
) -> None:
    """
    Search, and look in the journal what for.

    It goes to no other host and no other table, and words become no clause.
    """
    journal = world.told.stand_in.journal
    before = max((entry.n for entry in journal.all()), default=0)
    with reached() as hosts:
        try:
            found = await world.records.find(reader, words, 20)
        except (BadInput, Spent):
            found = []

    new = [entry for entry in journal.all() if entry.n > before]
    assert {each for entry in new for each in asked(entry)} <= usual
    assert {*hosts, *(entry.headers["host"] for entry in new)} <= {
        world.told.url.split("/")[2]
    }
    assert {one.ref.kind for one in found} <= set(world.records.kinds)
    assert world.sample.secret not in [one.ref for one in found]


@pytest.mark.parametrize("words", HOSTILE)
async def test_what_is_searched_for_is_never_syntax(
    world: World, reader: Account, usual: frozenset[str], words: str
) -> None:
    await searched(world, reader, usual, words)


_CUT = st.integers(0, 30)
_PIECES = st.one_of(
    st.sampled_from(HOSTILE),
    st.builds(lambda text, at: text[at:], st.sampled_from(HOSTILE), _CUT),
    st.builds(lambda text, at: text[:at], st.sampled_from(HOSTILE), _CUT),
    st.sampled_from((" ", "renewal", "email", "frank", "falcon")),
    st.text(max_size=12),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(words=st.lists(_PIECES, min_size=1, max_size=5).map("".join))
async def test_nothing_that_is_typed_breaks_a_search(
    world: World, reader: Account, usual: frozenset[str], words: str
) -> None:
    await searched(world, reader, usual, words)


@pytest.mark.parametrize(
    "id_", ["001", "x", "5005g00000000", "a" * 15, "a" * 18, "A1_.-b", "0"]
)
async def test_an_id_that_is_none_reaches_no_other_record(
    world: World, reader: Account, id_: str
) -> None:
    ref = world.sample.open[0]
    odd = RecordRef(ref.system, ref.instance, ref.kind, id_)
    try:
        found = await world.records.read(reader, [odd])
    except BadInput:
        return
    assert found == {odd: Absence.GONE}
