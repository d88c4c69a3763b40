"""The commands that ATOM knows, put together."""

from collections.abc import Callable, Mapping

from bots.commands.approvals import Approvals, Approve, Refuse
from bots.commands.backfill import Backfills
from bots.commands.base import Command, Commands, Doorman
from bots.commands.channels import Channels
from bots.commands.connect import Connect, Disconnect
from bots.commands.dead import Dead
from bots.commands.directory import DirectoryCommand
from bots.commands.drop import Drop
from bots.commands.help import Help
from bots.commands.hold import HoldCommand
from bots.commands.kept import KeptCommand
from bots.commands.link import LinkChannels
from bots.commands.links import ListLinks
from bots.commands.me import Me, Who
from bots.commands.members import MembersCommand
from bots.commands.officers import Officers
from bots.commands.options import Options
from bots.commands.organisations import Organisations
from bots.commands.pause import Pause
from bots.commands.policy import Policy
from bots.commands.reactions import Reactions, Reactors
from bots.commands.records_admin import RecordsCommand
from bots.commands.records_do import Do
from bots.commands.records_find import KINDS, Find
from bots.commands.records_follow import Follow, Subscriptions, Unfollow
from bots.commands.records_why import WhyNoCard
from bots.commands.replay import Replay
from bots.commands.resume import Resume
from bots.commands.retry import Retry
from bots.commands.review import RefuseEither, Release, Review, Reviewing
from bots.commands.runs import RunsCommand
from bots.commands.search import Search
from bots.commands.sessions import ResetSessions
from bots.commands.status import Status
from bots.commands.unlink import Unlink
from bots.commands.what_if import WhatIf
from bots.commands.why import Why
from bots.commands.workspaces import ListWorkspaces
from bridge.compliance import ApprovalDesk, DutyBook
from bridge.directory.control import DirectoryDesk
from bridge.explaining import Explains
from bridge.leaving.review import ReviewDesk
from bridge.legal_holds import HoldDesk
from bridge.letters import DeadLetters
from bridge.messages import Platform
from bridge.outlook import Rehearses
from bridge.policy_desk import PolicyDesk
from bridge.ports import Announcer, Health, LinkBook, Rights
from bridge.search.finding import Finder

# What policies may name, as `admin.link` for one.
NAMES: tuple[str, ...] = (
    LinkChannels.name,
    Unlink.name,
    ListLinks.name,
    Status.name,
    Pause.name,
    Resume.name,
    Options.name,
    Dead.name,
    Retry.name,
    Replay.name,
    Drop.name,
    Search.name,
    Reactions.name,
    ListWorkspaces.name,
    Channels.name,
    ResetSessions.name,
    Officers.name,
    Approvals.name,
    Approve.name,
    Review.name,
    Release.name,
    RefuseEither.name,
    HoldCommand.name,
    Me.name,
    Connect.name,
    Disconnect.name,
    Who.name,
    MembersCommand.name,
    DirectoryCommand.name,
    RunsCommand.name,
    KeptCommand.name,
    Why.name,
    WhatIf.name,
    Policy.name,
    Find.name,
    *KINDS,
    Do.name,
    Follow.name,
    Unfollow.name,
    Subscriptions.name,
    RecordsCommand.name,
    Help.name,
)


def standard_commands(  # noqa: PLR0913 - each is some command's
    *,
    links: LinkBook,
    health: Health,
    letters: DeadLetters,
    rights: Mapping[Platform, Rights],
    announcers: Mapping[Platform, Announcer],
    organisations: Organisations,
    backfills: Backfills,
    duties: DutyBook,
    approvals: ApprovalDesk,
    legal_holds: HoldDesk,
    finder: Finder,
    explains: Explains,
    policies: PolicyDesk,
    reviews: ReviewDesk,
    reactors: Reactors,
    rehearsal: Rehearses,
    clock: Callable[[], int],
    directory: DirectoryDesk | None = None,
    gate: Doorman | None = None,
    no_card: WhyNoCard | None = None,
    more: tuple[Command, ...] = (),
) -> Commands:
    """Make every command; `clock` gives microseconds UTC."""
    reviewing = Reviewing(reviews, links, rights)
    known: tuple[Command, ...] = (
        LinkChannels(links, rights, announcers, backfills, rehearsal),
        Unlink(links, rights, announcers),
        ListLinks(links, announcers),
        Status(health, announcers, clock),
        Pause(links, rights, announcers),
        Resume(links, rights, announcers),
        Options(links, rights, announcers),
        Dead(letters, links, rights, announcers, clock),
        Retry(letters, links, rights),
        Replay(letters, links, rights, clock),
        Drop(letters, links, rights),
        Search(finder),
        Reactions(reactors),
        ListWorkspaces(organisations),
        Channels(organisations),
        ResetSessions(organisations),
        Officers(duties),
        Approvals(approvals),
        Approve(approvals),
        Review(reviewing, announcers, clock),
        Release(reviewing),
        RefuseEither(Refuse(approvals), reviewing),
        HoldCommand(legal_holds, clock),
        *([DirectoryCommand(directory)] if directory else ()),
        Why(explains, links, rights, announcers, no_card),
        WhatIf(policies, rights),
        Policy(policies, rights),
    )
    known = (*known, *more)
    return Commands((*known, Help(known)), gate)
