"""Who may export, what was exported, and whose hands it went through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.compliance import Approvals, Duties, Duty, Officer
from bridge.errors import BadInput, NotFound, Refused
from storage.compliance.acts import Act, Acts
from storage.compliance.export.making import Result
from storage.compliance.export.question import Question
from storage.compliance.export.text import plain_line
from storage.hot import HotStore, Row, Statement

_LONGEST = 500
_EXPORT = "id, at_us, officer, approval, asked, size, messages, bytes, sha256"


@dataclass(frozen=True, slots=True)
class Made:
    """An export that was made. `asked` is the question in words."""

    id: str
    at_us: int
    officer: str
    approval: str
    asked: str
    size: int
    messages: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """An export passed from hand to hand, and what for."""

    export: str
    at_us: int
    officer: str
    recipient: str
    purpose: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Lets exports be made by whom two persons trust, and keeps the list of them."""

    store: HotStore
    acts: Acts
    duties: Duties
    approvals: Approvals
    clock: Callable[[], int]

    async def allow(self, question: Question, officer: Officer) -> str:
        """
        Use the approval of exactly this export up, and return its id.

        Raises `Refused`, saying what a second person has to type.
        """
        tenant = question.tenant
        await self.duties.require(tenant, officer, Duty.EXPORT)
        asked = await self.approvals.ask(
            tenant, officer, question.words, question.digest
        )
        try:
            return await self.approvals.spend(tenant, officer, question.digest)
        except Refused as error:
            raise Refused(
                f"An export takes a second person, and {asked} was asked for. Somebody "
                f"else with the duty to approve says '/atom approve {asked}', or types "
                f"'atom compliance approvals approve {asked}'; then type this again."
            ) from error

    async def made(
        self, question: Question, officer: Officer, approval: str, result: Result
    ) -> None:
        """Put on record what was exported, and that it was taken; once an approval."""
        tenant, now = question.tenant, self.clock()
        detail = _detail(question, approval, result)
        row = Made(
            result.id,
            now,
            officer.name,
            approval,
            question.words,
            question.size,
            result.counts["exported"],
            result.size,
            result.sha256,
        )
        created = Act(tenant, "export.create", officer.name, question.words, detail)
        key = f"export:{approval}"
        await self.acts.note(created, (_insert(tenant, row),), key)
        taken = {"export": result.id, "sha256": result.sha256, "name": result.path.name}
        text = f"took export {result.id}"
        downloaded = Act(tenant, "export.download", officer.name, text, taken)
        await self.acts.note(downloaded, (), f"{key}:download")

    async def hand_over(
        self, tenant: str, officer: Officer, export: str, to: str, purpose: str
    ) -> HandOver:
        """Put on record whom an export goes to. Raises `NotFound` or `BadInput`."""
        await self.duties.require(tenant, officer, Duty.EXPORT)
        recipient, why = plain_line(to), plain_line(purpose)
        if not recipient or not why:
            raise BadInput("say whom it goes to, and what for")
        if max(len(recipient), len(why)) > _LONGEST:
            raise BadInput(f"that is longer than {_LONGEST} characters")
        known = [one for one in await self._all(tenant) if one.id == export]
        if not known:
            raise NotFound(f"There is no export {plain_line(export)[:40]}.")
        passed = HandOver(
            export, self.clock(), officer.name, recipient, why, known[0].sha256
        )
        detail = {
            "export": export,
            "from": officer.name,
            "to": recipient,
            "purpose": why,
            "sha256": passed.sha256,
        }
        text = f"handed export {export} over"
        act = Act(tenant, "export.custody", officer.name, text, detail)
        await self.acts.note(act, (_insert_custody(tenant, passed),))
        return passed

    async def all(self, tenant: str, officer: Officer) -> list[Made]:
        """Return the exports, newest first."""
        await self.duties.require(tenant, officer, Duty.EXPORT)
        return await self._all(tenant)

    async def custody(self, tenant: str) -> list[HandOver]:
        """Return every hand-over, oldest first."""
        rows = await self.store.fetch(
            Statement(
                "SELECT export, at_us, officer, recipient, purpose, sha256 "
                "FROM custody WHERE tenant = :tenant ORDER BY at_us",
                {"tenant": tenant},
            )
        )
        return [HandOver(*row) for row in rows]

    async def _all(self, tenant: str) -> list[Made]:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_EXPORT} FROM export WHERE tenant = :tenant "
                "ORDER BY at_us DESC",
                {"tenant": tenant},
            )
        )
        return [_made(row) for row in rows]


def _made(row: Row) -> Made:
    return Made(*row)


def _detail(question: Question, approval: str, result: Result) -> Mapping[str, Any]:
    return {
        "export": result.id,
        "approval": approval,
        "digest": question.digest,
        "query": dict(question.stated),
        "formats": sorted(question.formats),
        "as_of": question.size,
        "tz": question.zone,
        "matter": question.matter,
        "counts": result.counts,
        "count": result.counts["exported"],
        "bytes": result.size,
        "sha256": result.sha256,
        "manifest_sha256": result.manifest_sha256,
        "root": result.root,
    }


def _insert(tenant: str, made: Made) -> Statement:
    return Statement(
        f"INSERT INTO export (tenant, {_EXPORT}) VALUES (:tenant, :id, :at_us, "
        ":officer, :approval, :asked, :size, :messages, :bytes, :sha256)",
        {
            "tenant": tenant,
            "id": made.id,
            "at_us": made.at_us,
            "officer": made.officer,
            "approval": made.approval,
            "asked": made.asked,
            "size": made.size,
            "messages": made.messages,
            "bytes": made.bytes,
            "sha256": made.sha256,
        },
    )


def _insert_custody(tenant: str, passed: HandOver) -> Statement:
    return Statement(
        "INSERT INTO custody (tenant, export, at_us, officer, recipient, purpose, "
        "sha256) VALUES (:tenant, :export, :at_us, :officer, :recipient, :purpose, "
        ":sha256)",
        {
            "tenant": tenant,
            "export": passed.export,
            "at_us": passed.at_us,
            "officer": passed.officer,
            "recipient": passed.recipient,
            "purpose": passed.purpose,
            "sha256": passed.sha256,
        },
    )
