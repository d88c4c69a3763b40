"""Searching the record from the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say, time_said
from bots.command_line.progress import progress_bar
from bots.core import Core
from bridge.compliance import Duty
from bridge.errors import NotFound
from bridge.search.grammar import read
from storage.compliance.rights.reading import viewed
from storage.log_reader import LogEntry
from storage.search.engine import Page
from storage.search.indexing import IndexState
from storage.search.officers import Run
from storage.search.showing import Found, shown

_SOON = 20_000  # entries that a search waits for; with more, it says what is missing


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is typed behind `atom compliance search`."""

    query: str
    tz: str = ""
    size: int = -1
    limit: int = 20
    cursor: str = ""


async def search(wanted: Wanted, company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        await built.duties.require(tenant, cli_officer(), Duty.SEARCH)
        read(wanted.query)  # what cannot be read waits for no index
        await _caught_up(built, tenant)
        page = Page(wanted.limit, wanted.cursor, wanted.size)
        run = await built.search.officers.run(
            tenant, cli_officer(), wanted.query, page, wanted.tz
        )
        entries = {e.seq: e for e in await built.log.at(tenant, run.answer.page)}
        expression = read(run.resolved).expression
        found = [
            shown(entries[seq], expression)
            for seq in run.answer.page
            if seq in entries and not entries[seq].erased
        ]
        if as_json:
            print_json(_data(run, found))
        else:
            _print(run, found)


async def show(seq: int, company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        await built.duties.require(tenant, cli_officer(), Duty.READ)
        entries = await built.log.at(tenant, [seq])
        if not entries:
            raise NotFound(f"The log has no entry {seq}.")
        row = entries[0].row
        if row["msg"] and entries[0].etype.startswith("message."):
            entries = await built.log.revisions(tenant, row["conv"], row["msg"])
        await _print_viewed(built, tenant, entries, f"entry {seq}", as_json=as_json)


async def recreate(
    msg: str, rev: int, channel: str, company: str, *, as_json: bool
) -> None:
    async with company_core(company) as (built, tenant):
        await built.duties.require(tenant, cli_officer(), Duty.READ)
        found = await built.log.of_message(tenant, msg)
        wanted = channel.rpartition("/")[2]
        chosen = [e for e in found if wanted in {"", e.row["conv"]}]
        if len({e.row["conv"] for e in chosen}) > 1:
            places = ", ".join(sorted({e.row["conv"] for e in chosen}))
            raise NotFound(f"Several channels have it: add --channel, one of {places}.")
        revisions = [
            e for e in chosen if e.row["rev"] == rev and e.etype != "message.delete"
        ]
        if not revisions:
            raise NotFound(f"There is no revision {rev} of a message {msg} on record.")
        how = f"revision {rev} of message {msg}"
        await _print_viewed(built, tenant, revisions[:1], how, as_json=as_json)


async def index_status(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        _print_state(await built.search.indexing.state(tenant), as_json=as_json)


async def index_rebuild(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        with progress_bar() as bar:
            task = bar.add_task("indexing", total=None)
            await built.search.indexing.rebuild(
                tenant, lambda done, size: bar.update(task, completed=done, total=size)
            )
        _print_state(await built.search.indexing.state(tenant), as_json=as_json)


async def _caught_up(built: Core, tenant: str) -> None:
    state = await built.search.indexing.state(tenant)
    if state.size - state.indexed <= _SOON:
        with progress_bar() as bar:
            task = bar.add_task("indexing", total=state.size)
            await built.search.indexing.catch_up(
                tenant, lambda done, size: bar.update(task, completed=done, total=size)
            )


async def _print_viewed(
    built: Core, tenant: str, entries: Sequence[LogEntry], how: str, *, as_json: bool
) -> None:
    await built.acts.note(viewed(tenant, cli_officer(), entries, how))
    data = [_entry(entry) for entry in entries]
    if as_json:
        print_json(data)
        return
    columns = ("seq", "time", "what", "rev", "who", "text")
    rows = [
        (str(e["seq"]), e["at"], e["type"], str(e["rev"]), e["author"], e["text"])
        for e in data
    ]
    print_table(columns, rows)


def _print(run: Run, found: Sequence[Found]) -> None:
    answer = run.answer
    if found:
        columns = ("seq", "time", "where", "who", "what")
        print_table(columns, [_row(one) for one in found])
    many = "1 message" if answer.count == 1 else f"{answer.count} messages"
    say(f"{many} as of entry {answer.size}, result root {answer.root.hex()}")
    for pattern, words in answer.expansions.items():
        say(f"{pattern} stands for {words} words")
    if not answer.complete:
        say(f"NOT COMPLETE: the index ends at entry {answer.indexed}; later run again")
    if answer.next:
        say(f"More with --cursor {answer.next}")
    say(f"On record as entry {run.seq}. The same again: {run.resolved}")


def _print_state(state: IndexState, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "company": state.tenant,
                "indexed": state.indexed,
                "size": state.size,
                "complete": state.indexed >= state.size,
                "bytes": state.bytes,
            }
        )
    else:
        say(f"{state.indexed} of {state.size} entries, {state.bytes / 1e6:.1f} MB")


def _data(run: Run, found: Sequence[Found]) -> dict[str, Any]:
    answer = run.answer
    return {
        "count": answer.count,
        "root": answer.root.hex(),
        "as_of": answer.size,
        "indexed": answer.indexed,
        "complete": answer.complete,
        "expansions": dict(answer.expansions),
        "query": run.resolved,
        "query_ast_sha256": run.digest,
        "entry": run.seq,
        "cursor": answer.next,
        "results": [
            {
                "seq": one.seq,
                "type": one.etype,
                "channel": str(one.channel) if one.channel else None,
                "message": one.message,
                "thread": one.thread or None,
                "rev": one.rev,
                "author": one.author,
                "author_id": one.author_id,
                "at": time_said(one.sent_us),
                "text": one.snippet,
                "files": list(one.files),
            }
            for one in found
        ],
    }


def _entry(entry: LogEntry) -> dict[str, Any]:
    row, author = entry.row, entry.body.get("author") or {}
    files = entry.body.get("files") or ()
    return {
        "seq": entry.seq,
        "type": entry.etype,
        "rev": row["rev"],
        "at": time_said(row["src_us"]),
        "captured": time_said(row["cap_us"]),
        "channel": f"{row['platform']}:{row['team']}/{row['conv']}",
        "message": row["msg"],
        "author": str(author.get("name") or author.get("id") or ""),
        "text": "(erased)" if entry.erased else str(entry.body.get("text", "")),
        "files": [str(file.get("name", "")) for file in files],
        "erased": entry.erased,
        "leaf": bytes(row["leaf"]).hex(),
    }


def _row(one: Found) -> tuple[str, ...]:
    files = f" [{', '.join(one.files)}]" if one.files else ""
    where = str(one.channel) if one.channel else ""
    return (
        str(one.seq),
        time_said(one.sent_us),
        where,
        one.author,
        one.snippet + files,
    )
