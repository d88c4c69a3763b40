"""Put together what answers commands, and what takes up those that were left."""

from bots.commands.answering import Answering
from bots.core import clock_us
from bots.late_answers import LateAnswers
from bots.slack.late import SlackLate
from bots.teams.late import TeamsLate
from bots.tools import Tools
from bridge.messages import Platform
from bridge.unanswered import LateWay
from storage.unanswered import StoredCommands


def answering_side(built: Tools) -> tuple[Answering, LateAnswers]:
    """Build it for a process that serves; the second is to be run."""
    core = built.core
    book = StoredCommands(core.database.hot, core.log, core.owner, clock_us)
    answering = Answering(
        core.companies,
        built.commands,
        book,
        core.settings.tuning.lease,
        trace=core.journal.trace,
    )
    ways: dict[Platform, LateWay] = {}
    if built.slack:
        ways[Platform.SLACK] = SlackLate(built.slack.clients)
    if built.teams:
        ways[Platform.TEAMS] = TeamsLate(
            built.teams.connector, core.places, built.teams.pacing
        )
    return answering, LateAnswers(answering, book, ways, clock_us)
