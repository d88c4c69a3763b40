"""Exports from the command line: the question, the folder, the bar, the record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import console, print_json, print_table, say
from bots.core import Core, clock_us
from bridge.errors import BadInput
from bridge.messages import Channel
from bridge.search.fields import resolved
from bridge.search.grammar import read
from bridge.search.syntax import Query, written
from bridge.search.times import Calendar, zone
from storage.compliance import verify_atom
from storage.compliance.export.desk import Desk, HandOver, Made
from storage.compliance.export.gathering import Progress as Told
from storage.compliance.export.making import Maker, Result
from storage.compliance.export.model import Item
from storage.compliance.export.opening import Openings
from storage.compliance.export.parts import FORMATS
from storage.compliance.export.question import Matches, Question
from storage.compliance.export.spool import Spool
from storage.search.engine import Page

_ALL = "all"


@dataclass(frozen=True, slots=True)
class Wish:
    """An export as it was typed."""

    query: str
    channels: tuple[str, ...]
    people: tuple[str, ...]
    since: str
    until: str
    formats: str
    as_of: int
    tz: str
    matter: str

    def question(self, tenant: str, size: int, now_us: int) -> Question:
        """
        Return the question. Relative dates are relative to `now_us`.

        Raises `BadInput`.
        """
        calendar = Calendar(zone(self.tz), now_us)
        return Question(
            tenant=tenant,
            size=size,
            query=written(self._search(now_us)) if self.query else "",
            formats=_formats(self.formats),
            channels=tuple(Channel.parse(address) for address in self.channels),
            people=self.people,
            from_us=calendar.span(self.since).start_us if self.since else 0,
            to_us=calendar.span(self.until).end_us if self.until else 0,
            zone=self.tz,
            matter=self.matter,
        )

    def _search(self, now_us: int) -> Query:
        query = read(self.query)
        if query.tz == "UTC":
            query = replace(query, tz=zone(self.tz).key)
        return resolved(query, now_us)


async def export(wish: Wish, out: Path, company: str, *, as_json: bool) -> None:
    """Make an export, or ask for the approval that it takes."""
    _look_at(out)
    async with company_core(company) as (built, tenant):
        folder = built.settings.home / "exports"
        pin = _pin(folder, tenant, wish)
        question = await _pinned(built, tenant, wish, pin)
        desk, officer = _desk(built), cli_officer()
        spool = Spool(folder / question.id)
        try:
            if not (approval := spool.get("approval")):
                approval = await desk.allow(question, officer)
                spool.put("approval", approval)
            made = await _maker(built, tenant)
            with _progress() as told:
                matches = await _matches(built, question)
                result = await made.make(spool, question, matches, out, told)
            await desk.made(question, officer, approval, result)
        except BaseException:
            spool.close()
            raise
        spool.remove()
        pin.unlink(missing_ok=True)
        _tell(result, as_json=as_json)


async def listing(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        desk = _desk(built)
        made = await desk.all(tenant, cli_officer())
        passed = await desk.custody(tenant)
        if as_json:
            print_json([_as_json(one, passed) for one in made])
        elif not made:
            say("Nothing was exported yet.")
        else:
            columns = ("export", "when", "by", "messages", "handed to", "what")
            print_table(columns, [_row(one, passed) for one in made])


async def hand_over(export_id: str, to: str, purpose: str, company: str) -> None:
    async with company_core(company) as (built, tenant):
        desk = _desk(built)
        passed = await desk.hand_over(tenant, cli_officer(), export_id, to, purpose)
        say(f"On record: export {passed.export} went to {passed.recipient}.")


def _desk(built: Core) -> Desk:
    hot = built.database.hot
    return Desk(hot, built.acts, built.duties, built.approvals, clock_us)


async def _maker(built: Core, tenant: str) -> Maker:
    """Exports are of a log that does not contradict what was signed of it before."""
    await built.publisher.publish(tenant)
    tree = built.publisher.keeper.tree
    return Maker(
        reader=built.log,
        opener=Openings(built.log, tenant),
        blobs=built.blobs,
        notary=built.signers,
        origin=(await built.signers.current(tenant)).name,
        root=lambda size: tree.root(tenant, size),
        verifier=_verifier(),
        key_notes=[k.note for k in await built.signers.known(tenant) if k.note],
    )


def _verifier() -> bytes:
    return Path(verify_atom.__file__).read_bytes()


async def _pinned(built: Core, tenant: str, wish: Wish, pin: Path) -> Question:
    """
    Return the question as of a size of the log, and a time.

    They are those at which it was asked first, unless a size was typed: what is logged
    while a second person thinks it over is no part of what they agree to.
    """
    size, now = (await built.log.head(tenant)).size, clock_us()
    if not size:
        raise BadInput("the log is empty: there is nothing to export")
    if wish.as_of > size:
        raise BadInput(f"the log has {size} entries: it cannot be exported as of more")
    wish.question(tenant, size, now)  # whatever is wrong with it is said before
    first, asked = _kept(pin, wish.as_of or size, now)
    return wish.question(tenant, first, asked)


def _kept(pin: Path, size: int, now_us: int) -> tuple[int, int]:
    """Return what was kept at the first time, which this may be."""
    if not pin.exists():
        pin.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pin.write_text(f"{size} {now_us}\n")
    first, asked = pin.read_text().split()
    return int(first), int(asked)


def _pin(folder: Path, tenant: str, wish: Wish) -> Path:
    asked = f"{tenant} {cli_officer().name} {wish}"
    name = sha256(asked.encode("utf-8", "replace")).hexdigest()[:16]
    return folder / f"asked-{name}"


async def _matches(built: Core, question: Question) -> Matches:
    """Return what tells whether a search finds a message, as of the question's size."""
    if not question.query:
        return _everything
    search = built.search
    await search.indexing.catch_up(question.tenant)
    page = Page(limit=0, size=question.size)
    query = resolved(read(question.query), 0)  # no date in it is relative any more
    answer = await search.engine.answer(question.tenant, query, page)
    if not answer.complete:
        raise BadInput(
            f"the search index ends at entry {answer.indexed}: try again when it has "
            "caught up, or see 'atom compliance index'"
        )
    found = set(answer.seqs)
    return lambda item: any(r.stamp.seq in found for r in item.revisions)


def _everything(_item: Item) -> bool:
    return True


def _formats(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == [_ALL]:
        return tuple(sorted(FORMATS))
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        known = ", ".join(FORMATS)
        raise BadInput(f"'{', '.join(unknown)}' is no format: take {known} or all")
    return tuple(sorted(set(names)))


def _look_at(out: Path) -> None:
    if out.is_dir() or not out.parent.is_dir():
        raise BadInput(f"{out} cannot be written: give a file in a folder that exists")


@contextmanager
def _progress() -> Iterator[Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    screen = console(stderr=True)
    hidden = not screen.is_terminal
    with Progress(*columns, console=screen, transient=True, disable=hidden) as bar:
        task = bar.add_task("starting", total=None)

        def told(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of)

        yield told


def _tell(result: Result, *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(result), "path": str(result.path)})
        return
    counts = result.counts
    say(f"{counts['exported']} messages and {counts['copies']} copies in {result.path}")
    for reason, count in counts["withheld_by_reason"].items():
        say(f"  withheld: {count} ({reason})")
    say(f"  export {result.id}, sha256 {result.sha256}")
    say(f"  check it: python3 verify_atom.py --key VKEY export {result.path.name}")


def _as_json(made: Made, passed: list[HandOver]) -> dict[str, object]:
    custody = [asdict(one) for one in passed if one.export == made.id]
    return {**asdict(made), "custody": custody}


def _row(made: Made, passed: list[HandOver]) -> tuple[str, ...]:
    when = datetime.fromtimestamp(made.at_us // 1_000_000, UTC)
    hands = ", ".join(one.recipient for one in passed if one.export == made.id)
    stamp = f"{when:%Y-%m-%d %H:%M}"
    return (made.id, stamp, made.officer, str(made.messages), hands, made.asked)
