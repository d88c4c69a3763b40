"""Put together what brings files across."""

from bots.core import Core, clock_us
from bots.keeping_files import KeepingFiles
from bots.settings import Settings
from bots.slack_side import SlackSide
from bots.teams_side import TeamsSide
from bridge.attribution import Attributes
from bridge.file_ports import FileSource, FileTarget
from bridge.filing import Filing
from bridge.leaving.leaving import WatchedLedger
from bridge.messages import Platform
from bridge.tuning import Tuning
from policy.scanning.clamd import Clamd, ClamdAddress
from storage.compliance.blobs.keeper import FileKeeper
from storage.compliance.blobs.work import FileWorkList
from storage.courtesy import Courtesy
from storage.files import LoggedFiles
from storage.shelf import DiskShelf

_MEGABYTE = 1_000_000


def filing(
    built: Core,
    slack: SlackSide | None,
    teams: TeamsSide | None,
    tuning: Tuning,
    attributes: Attributes | None = None,
) -> Filing:
    """Build the use case on the platforms that are switched on."""
    sides = {Platform.SLACK: slack, Platform.TEAMS: teams}
    on = {platform: side for platform, side in sides.items() if side}
    sources: dict[Platform, FileSource] = {p: s.files for p, s in on.items()}
    targets: dict[Platform, FileTarget] = {p: s.file_target for p, s in on.items()}
    return Filing(
        ledger=WatchedLedger(built.ledger, built.leaving.leaving),
        log=LoggedFiles(built.log),
        copies=built.copies,
        links=built.links,
        policy=built.policy,
        senders={p: side.sender for p, side in on.items()},
        people={p: side.people for p, side in on.items()},
        sources=sources,
        targets=targets,
        shelf=DiskShelf(built.settings.home / "crossing"),
        scanner=scanner(built.settings),
        clock=clock_us,
        tuning=tuning,
        leaving=built.leaving.files,
        attributes=attributes,
    )


def keeping(
    built: Core,
    slack: SlackSide | None,
    teams: TeamsSide | None,
    courtesy: Courtesy,
) -> KeepingFiles:
    """Build what keeps the files that people share on record."""
    sides = {Platform.SLACK: slack, Platform.TEAMS: teams}
    sources: dict[Platform, FileSource] = {p: s.files for p, s in sides.items() if s}
    keeper = FileKeeper(
        sources,
        DiskShelf(built.settings.home / "crossing"),
        built.blobs,
        built.journal,
        built.log,
        FileWorkList(built.database.hot, clock_us),
        clock_us,
        built.settings.tuning.kept_file_mb * _MEGABYTE,
    )
    return KeepingFiles(keeper, built.blobs, built.company_ids, courtesy)


def scanner(settings: Settings) -> Clamd | None:
    """Return what looks for viruses, if anything is to."""
    if settings.clamd_address is None:
        return None
    return Clamd(ClamdAddress.parse(settings.clamd_address))
