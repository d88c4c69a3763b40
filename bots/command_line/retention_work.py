"""Rules of retention and dispositions from the command line."""

from dataclasses import dataclass, replace
from typing import Any

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say
from bots.command_line.progress import progress_bar
from bridge.compliance import Duty
from bridge.errors import BadInput
from bridge.messages import Channel
from bridge.ranges import shown
from bridge.retention import Rule, Scope, preset
from bridge.retention_words import as_data, day, explained, period, spelled
from storage.compliance.retention.disposition import Disposed
from storage.compliance.retention.rules import as_data as rule_data


@dataclass(frozen=True, slots=True)
class RuleWish:
    """A rule as it was typed."""

    id: str
    name: str
    delete: str
    keep: str
    channel: str
    label: str
    floor: str

    def read(self) -> Rule:
        """Return the rule. Raises `BadInput`."""
        if self.channel and self.label:
            raise BadInput("a rule is about a channel or about a label")
        scope = Scope.CHANNEL if self.channel else Scope.TENANT
        scope = Scope.LABEL if self.label else scope
        about = {"scope": scope, "value": self.channel or self.label}
        if self.floor and self.floor != "own":
            known = preset(self.floor)
            if period(self.keep) is not None:
                raise BadInput(f"{self.floor} says itself how long: leave out --keep")
            rule = replace(known, **about)  # type: ignore[arg-type]
        else:
            rule = Rule("", self.name or self.id, keep_us=period(self.keep), **about)  # type: ignore[arg-type]
        return replace(
            rule,
            id=self.id,
            name=self.name or rule.name,
            delete_us=period(self.delete),
            floor=bool(self.floor),
        )


async def set_rule(wish: RuleWish, company: str, *, as_json: bool) -> None:
    rule = wish.read()
    async with company_core(company) as (built, tenant):
        made = await built.retention.rules.set(tenant, cli_officer(), rule)
        if as_json:
            print_json(rule_data(made))
        else:
            say(f"Rule {made.id}, version {made.version}: {made.name}.")
            say("Nothing goes because of it for a day: look at it again until then.")


async def rules(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        policy = await built.retention.rules.policy(tenant)
        if as_json:
            print_json([rule_data(rule) for rule in policy.rules])
        elif not policy.rules:
            say("No rules: everything is kept.")
        else:
            columns = ("rule", "version", "about", "keeps", "deletes after", "name")
            print_table(columns, [_row(rule) for rule in policy.rules])


async def remove(rule: str, company: str) -> None:
    async with company_core(company) as (built, tenant):
        gone = await built.retention.rules.remove(tenant, cli_officer(), rule)
        say(f"Rule {gone.id} is gone: {gone.name}.")


async def label(channel: str, message: str, name: str, company: str) -> None:
    place = Channel.parse(channel)
    async with company_core(company) as (built, tenant):
        await built.retention.rules.label(tenant, cli_officer(), place, message, name)
        say(f"The message has the label {name}.")


async def explain(seq: int, company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        judged = await built.retention.disposer.explain(tenant, seq)
        if as_json:
            print_json(as_data(judged.item, judged.verdict))
        else:
            say(explained(judged.item, judged.verdict))


async def dispose(company: str, *, dry: bool, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        await built.duties.require(tenant, cli_officer(), Duty.RETAIN)
        with progress_bar() as bar:
            task = bar.add_task("looking for what is due", total=None)
            done = await built.retention.disposer.run(
                tenant,
                dry=dry,
                progress=lambda at, size: bar.update(task, completed=at, total=size),
            )
        if as_json:
            print_json({"dry_run": dry, **_data(done)})
            return
        if not done.trusted_us:
            say("No platform has said yet what time it is: nothing is due.")
            return
        verb = "would go" if dry else "went"
        say(f"As of {day(done.trusted_us)}: {done.shredded} entries {verb}.")
        say(
            f"{done.held} are held, {done.deferred} wait to be erased, and "
            f"{done.settling} wait a day because a rule was changed."
        )


async def dispositions(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await built.retention.disposer.dispositions(tenant)
        if as_json:
            print_json(
                [
                    {"seq": d.seq, "at_us": d.at_us, "items": d.items, "seqs": d.ranges}
                    for d in found
                ]
            )
        elif not found:
            say("Nothing was disposed of yet.")
        else:
            rows = [
                (str(d.seq), day(d.at_us), str(d.items), shown(d.ranges)) for d in found
            ]
            print_table(("entry", "time", "went", "positions"), rows)


def _row(rule: Rule) -> tuple[str, ...]:
    about = rule.value or "the company"
    floor = " (floor)" if rule.floor else ""
    return (
        rule.id,
        str(rule.version),
        about,
        spelled(rule.keep_us) + floor,
        spelled(rule.delete_us),
        rule.name,
    )


def _data(done: Disposed) -> dict[str, Any]:
    return {
        "trusted_us": done.trusted_us,
        "looked": done.looked,
        "shredded": done.shredded,
        "held": done.held,
        "deferred": done.deferred,
        "settling": done.settling,
    }
