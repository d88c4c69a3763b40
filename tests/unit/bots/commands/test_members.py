"""Admins see who is in a link's channels against the policy, and agree to removals."""

from bridge.access import Decision
from bridge.cards import Tone
from bridge.keeping import Plan, Seat
from bridge.messages import Channel, Person
from tests.unit.bots.commands.conftest import Office

NO = Decision(allowed=False, rule="fin-only", policy="hash", directory="7")


def wrong(channel: Channel, *users: str) -> tuple[Seat, ...]:
    return tuple(Seat(Person(channel.platform, user), NO) for user in users)


async def test_who_is_there_against_the_policy_is_shown_with_the_rule(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.link(here, there)
    seats = wrong(here, "U1", "U2")
    office.members.plans = {here: Plan(here, seats, seats), there: Plan(there)}

    card = await office.type(here, "members")

    assert card.title == "2 against the policy"
    assert card.tone is Tone.WARNING
    told = card.sections[0].fields
    assert [(one.label, one.value) for one in told] == [
        ("U1", "fin-only"),
        ("U2", "fin-only"),
    ]


async def test_what_waits_is_agreed_to_by_its_button_and_only_as_it_was_shown(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.link(here, there)
    seats = wrong(here, *(f"U{n}" for n in range(9)))
    plan = Plan(here, seats, (), (), "9 of 9 people would be taken out")
    office.members.plans = {here: plan}
    [button] = (await office.type(here, "members")).buttons

    done = await office.type(here, button.command)
    assert done.title == "They are taken out now"
    assert office.members.agreed == [(here, plan.digest)]

    office.members.plans = {here: Plan(here, wrong(here, "U1", "U99"))}
    again = await office.type(here, button.command)
    assert again.title == "That did not work"
    assert len(office.members.agreed) == 1


async def test_only_admins_see_it(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.link(here, there)
    office.members.plans = {here: Plan(here)}

    card = await office.type(here, "members", who="mallory")

    assert card.title == "You may not do that"


async def test_without_a_directory_nobody_says_who_belongs(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.link(here, there)

    assert "No directory" in (await office.type(here, "members")).text
