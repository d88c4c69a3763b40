"""Put together what looks after channels that may carry nothing."""

from collections.abc import Mapping
from functools import partial

from bots.core import Core
from bots.dormancy import Dormancy
from bots.readers import ReadersProber
from bots.slack_side import SlackSide
from bots.teams_side import TeamsSide
from bots.threshold import Threshold
from bridge.holds import Prober
from bridge.messages import Platform
from bridge.ports import Announcer


def guarded(core: Core, slack: SlackSide | None, teams: TeamsSide | None) -> None:
    """Let every channel be looked at before it is linked."""
    probers, announcers = _ports(core, slack, teams)
    core.links.threshold = Threshold(probers, announcers, core.holds).check


def watched(core: Core, slack: SlackSide | None, teams: TeamsSide | None) -> Dormancy:
    """Return what asks for held channels, and hears of them from everywhere."""
    tuning = core.settings.tuning
    probers, announcers = _ports(core, slack, teams)
    made = Dormancy(
        core.links,
        core.holds,
        probers,
        announcers,
        core.company_ids,
        int(tuning.dormant * 1_000_000),
        tuning.probe,
        guarded=core.guarded,
    )
    if slack:
        slack.noticed.listener = made.noticed
        slack.on_install.append(partial(made.installed, Platform.SLACK))
    return made


def _ports(
    core: Core, slack: SlackSide | None, teams: TeamsSide | None
) -> tuple[Mapping[Platform, Prober], Mapping[Platform, Announcer]]:
    both = {Platform.SLACK: slack, Platform.TEAMS: teams}
    sides = {platform: side for platform, side in both.items() if side}
    return (
        {
            platform: ReadersProber(side.prober, side.readers, core.watches_readers)
            for platform, side in sides.items()
        },
        {platform: side.announcer for platform, side in sides.items()},
    )
