"""Ten thousand hostile records, by a fixed lot: none makes a card that is refused."""

import random
from dataclasses import replace

import pytest

from bots.slack import record_cards as slack
from bots.teams import record_cards as teams
from bridge.records.model import PUBLIC, Record
from tests.record_hostility import hostile
from tests.record_limits import slack_faults, teams_faults
from tests.record_rendering import ALONE, FLOOR, card, check_slack, check_teams

_CHUNK, _CHUNKS = 500, 20
_CLASSES = (PUBLIC, "sales-finance", "personal")
_WHOLE = 50  # of so many cards one is compared with the whole schema, which takes time
_MEMBERS = [f"29:1{'x' * 80}{number}" for number in range(100)]


def seeded(number: int) -> Record:
    """Return one of the ten thousand, some of whose fields are not for everybody."""
    lot = random.Random(number)
    record = hostile(lot)
    facts = tuple(replace(f, cls=lot.choice(_CLASSES)) for f in record.facts)
    return replace(record, facts=facts, title_cls=lot.choice(_CLASSES))


@pytest.mark.parametrize("chunk", range(_CHUNKS))
def test_none_of_ten_thousand_cards_is_too_long(chunk: int) -> None:
    refused = {}
    for number in range(chunk * _CHUNK, (chunk + 1) * _CHUNK):
        shown = card(seeded(number), ALONE if number % 2 else FLOOR)

        blocks = slack.render(shown).blocks
        activity = teams.activity(shown, _MEMBERS if number % 3 else [])

        if faults := slack_faults(blocks) + teams_faults(activity):
            refused[number] = faults
        if number % _WHOLE == 0:
            check_slack(blocks)
            check_teams(activity["attachments"][0]["content"])
    assert not refused
