"""What the admin app does to the organisation's channels and people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.admin_book import (
    SlackChannelBook,
    SlackOrganisation,
    find_person,
    workspaces_of,
)
from bots.slack.admin_errors import ordered, sentence
from bots.slack.clients import Clients, SlackRefused, done, quiet
from bridge.errors import Conflict, NotFound, Refused
from bridge.messages import Person
from bridge.workspaces import Administration, ManagedChannel, Workspace


def slack_administration(api_url: str, token: str, clients: Clients) -> Administration:
    """Put the admin app's ports together, on the session of the bridge's clients."""
    admin = AsyncWebClient(
        token=token,
        base_url=api_url,
        session=clients.session,
        logger=quiet(),
        retry_handlers=[],
    )
    channels = SlackCare(admin)
    return Administration(
        organisation=SlackOrganisation(admin, clients),
        book=SlackChannelBook(admin),
        care=channels,
        membership=SlackMembership(admin, clients),
        sharing=SlackSharing(admin),
        groups=SlackGroups(admin),
        sessions=SlackSessions(admin),
        disposal=channels,
    )


@dataclass(frozen=True, slots=True)
class SlackCare:
    """Implements `bridge.workspaces.ChannelCare` and `Disposal`."""

    admin: AsyncWebClient

    async def rename(self, channel: ManagedChannel, name: str) -> None:
        await ordered(
            self.admin.admin_conversations_rename(channel_id=channel.id, name=name)
        )

    async def archive(self, channel: ManagedChannel) -> None:
        await ordered(self.admin.admin_conversations_archive(channel_id=channel.id))

    async def unarchive(self, channel: ManagedChannel) -> None:
        await ordered(self.admin.admin_conversations_unarchive(channel_id=channel.id))

    async def delete(self, channel: ManagedChannel) -> None:
        await ordered(self.admin.admin_conversations_delete(channel_id=channel.id))


@dataclass(frozen=True, slots=True)
class SlackMembership:
    """
    Implements `bridge.workspaces.Membership`.

    There is no admin call that removes: the bridge's bot does it, where it is in the
    channel. Where a group decides who is in, it would come to nothing.
    """

    admin: AsyncWebClient
    clients: Clients

    async def person(self, word: str) -> Person:
        return await find_person(self.admin, word)

    async def invite(
        self, channel: ManagedChannel, people: Sequence[Person]
    ) -> Sequence[str]:
        """Ask for all at once; if some cannot be, for the others alone."""
        failed = await self._invited(channel, people)
        rest = [person for person in people if person.id not in failed]
        if failed and rest:
            failed |= await self._invited(channel, rest)
        return [f"{user}: {_reason(code)}" for user, code in failed.items()]

    async def remove(self, channel: ManagedChannel, person: Person) -> None:
        if await linked_groups(self.admin, channel):
            raise Refused(
                f"Who is in {channel.name} follows an IDP group: remove them from the "
                "group, or disconnect it first."
            )
        client = await self._bot_of(channel)
        try:
            await done(client.conversations_kick(channel=channel.id, user=person.id))
        except SlackRefused as refused:
            if refused.code == "missing_scope":
                raise Refused(
                    "ATOM's bot may not remove people yet: install it again, so that "
                    "it gets channels:manage and groups:write."
                ) from refused
            if refused.code != "not_in_channel":
                raise Refused(sentence(refused.code)) from refused

    async def _invited(
        self, channel: ManagedChannel, people: Sequence[Person]
    ) -> dict[str, str]:
        """Invite, and return who could not be, with Slack's word for why."""
        ids = [person.id for person in people]
        call = self.admin.admin_conversations_invite(
            channel_id=channel.id, user_ids=ids
        )
        try:
            await done(call)
        except SlackRefused as refused:
            if refused.code == "failed_for_some_users" and refused.failed:
                return dict(refused.failed)
            raise Refused(sentence(refused.code)) from refused
        return {}

    async def _bot_of(self, channel: ManagedChannel) -> AsyncWebClient:
        for workspace in channel.workspaces:
            try:
                return await self.clients.of(workspace)
            except Refused:
                continue
        raise NotFound(f"ATOM's bot is in no workspace that sees {channel.name}.")


@dataclass(frozen=True, slots=True)
class SlackSharing:
    """Implements `bridge.workspaces.Sharing`."""

    admin: AsyncWebClient

    async def share(
        self, channel: ManagedChannel, workspaces: Sequence[Workspace]
    ) -> None:
        """Slack's call replaces the whole list: what it has is read and kept."""
        if channel.everywhere:
            raise Conflict(f"Every workspace sees {channel.name} already.")
        have = await workspaces_of(self.admin, channel.id)
        wanted = [one.id for one in workspaces if one.id not in have]
        if not wanted:
            raise Conflict(f"These workspaces see {channel.name} already.")
        if not have:
            raise Refused(f"Slack does not say who sees {channel.name}.")
        home = have[0] if len(have) == 1 else None
        await ordered(
            self.admin.admin_conversations_setTeams(
                channel_id=channel.id, target_team_ids=[*have, *wanted], team_id=home
            )
        )

    async def move(self, channel: ManagedChannel, workspace: Workspace) -> None:
        have = await workspaces_of(self.admin, channel.id)
        if have == [workspace.id]:
            raise Conflict(f"{channel.name} is in {workspace.name} already.")
        if len(have) != 1 or channel.everywhere:
            raise Conflict(
                f"Several workspaces see {channel.name}, and ATOM takes it away from "
                "none of them: share it instead."
            )
        answer = await ordered(
            self.admin.admin_conversations_bulkMove(
                channel_ids=[channel.id], target_team_id=workspace.id
            )
        )
        if reasons := _not_moved(answer):
            raise Refused(sentence(reasons[0]))


@dataclass(frozen=True, slots=True)
class SlackGroups:
    """Implements `bridge.workspaces.ChannelGroups`."""

    admin: AsyncWebClient

    async def groups(self, channel: ManagedChannel) -> Sequence[str]:
        return await linked_groups(self.admin, channel)

    async def connect(self, channel: ManagedChannel, group: str) -> None:
        teams = await workspaces_of(self.admin, channel.id)
        home = {"team_id": teams[0]} if len(teams) == 1 else {}
        await ordered(
            self.admin.admin_conversations_restrictAccess_addGroup(
                channel_id=channel.id, group_id=group, **home
            )
        )

    async def disconnect(self, channel: ManagedChannel, group: str) -> None:
        teams = await workspaces_of(self.admin, channel.id)
        await ordered(
            self.admin.admin_conversations_restrictAccess_removeGroup(
                channel_id=channel.id, group_id=group, team_id=teams[0]
            )
        )


@dataclass(frozen=True, slots=True)
class SlackSessions:
    """Implements `bridge.workspaces.Sessions`."""

    admin: AsyncWebClient

    async def reset(self, person: Person) -> None:
        await ordered(self.admin.admin_users_session_reset(user_id=person.id))


async def linked_groups(admin: AsyncWebClient, channel: ManagedChannel) -> list[str]:
    answer = await ordered(
        admin.admin_conversations_restrictAccess_listGroups(channel_id=channel.id)
    )
    return [one for one in answer.get("group_ids") or () if isinstance(one, str)]


def _not_moved(answer: Mapping[str, Any]) -> list[str]:
    reasons: list[str] = []
    for row in answer.get("not_added") or ():
        reasons += row.get("errors") or ["restricted_action"]
    return reasons


def _reason(code: str) -> str:
    known = {
        "org_user_not_in_team": "is in no workspace that sees the channel",
        "user_is_restricted": "is not in the group that the channel follows",
        "user_not_found": "is not known to Slack",
    }
    return known.get(code, code)
