"""What is held for review is shown to admins and decided on by somebody else."""

import pytest

from bridge.access import Label
from bridge.cards import Tone
from bridge.delivery import Delivery, Operation
from bridge.leaving.review import Waiting
from bridge.letters import DeadLetter
from bridge.messages import Channel, Person
from tests.unit.bots.commands.conftest import TENANT, Office
from tests.unit.bots.commands.test_reading import fields


@pytest.fixture
async def office(here: Channel, there: Channel) -> Office:
    made = Office()
    await made.link(here, there)
    return made


def hold(
    office: Office, here: Channel, *, link: str = "L1", author: str = "bob"
) -> str:
    """Hold a message of somebody's; returns its number."""
    seq = 70 + len(office.reviews.held)
    delivery = Delivery(
        TENANT, seq, 0, link, Operation.POST, here, here, f"m{seq}", "", 0, 0
    )
    letter = DeadLetter(delivery, "held for review: dlp cards", 0)
    person = Person(here.platform, author, "Bob")
    office.reviews.held.append(
        Waiting(letter, person, ("credit_card",), Label.CONFIDENTIAL, 0)
    )
    return letter.number


async def test_what_waits_is_shown_with_whose_it_is_and_why(
    office: Office, here: Channel
) -> None:
    number = hold(office, here)

    card = await office.type(here, "review")

    assert (card.title, card.tone) == ("1 message is held", Tone.WARNING)
    assert card.sections[0].title.startswith(f"{number}: a message of Bob in ")
    assert fields(card, 0)["Found"] == "credit_card"
    assert fields(card, 0)["Label"] == "confidential"
    assert [button.command for button in card.buttons] == [
        f"release {number}",
        f"refuse {number}",
    ]


@pytest.mark.parametrize("verb", ["release", "refuse"])
async def test_an_admin_decides(office: Office, here: Channel, verb: str) -> None:
    number = hold(office, here)

    card = await office.type(here, f"{verb} {number}")

    assert card.tone is Tone.GOOD
    assert office.reviews.decided == [(verb, number, f"{here.platform}:admin")]


@pytest.mark.parametrize("verb", ["release", "refuse"])
async def test_nobody_decides_on_their_own(
    office: Office, here: Channel, verb: str
) -> None:
    number = hold(office, here, author="admin")

    card = await office.type(here, f"{verb} {number}")

    assert card.title == "You may not do that"
    assert office.reviews.decided == []
    assert (await office.type(here, "review")).buttons == ()


@pytest.mark.parametrize("line", ["review", "release 70.0", "refuse 70.0"])
async def test_only_admins_see_and_decide(
    office: Office, here: Channel, line: str
) -> None:
    hold(office, here)

    card = await office.type(here, line, who="somebody")

    assert card.title == "You may not do that"
    assert office.reviews.decided == []


@pytest.mark.parametrize("line", ["release 70.0", "refuse 70.0", "release 99.9"])
async def test_what_waits_elsewhere_is_not_there(
    office: Office, here: Channel, line: str
) -> None:
    hold(office, here, link="L9")

    card = await office.type(here, line)

    assert card.text.startswith("Nothing waits under")


async def test_refuse_still_takes_the_ids_of_approvals(
    office: Office, here: Channel
) -> None:
    card = await office.type(here, "refuse nothing")

    assert card.title == "That did not work"
    assert "review" not in card.text
