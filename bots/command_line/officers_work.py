"""Officers and approvals from the command line."""

from dataclasses import asdict
from typing import Any

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say, time_said
from storage.compliance.rights.approvals import Approval
from storage.compliance.rights.duties import Trust
from storage.compliance.rights.officers import duty_named, officer_named, short


async def assign(name: str, word: str, company: str) -> None:
    officer, duty = officer_named(name), duty_named(word)
    async with company_core(company) as (built, tenant):
        trust = await built.duties.assign(tenant, cli_officer(), officer, duty)
        say(f"{officer.name} has the duty to {short(duty)}, from {trust.granted_by}.")


async def revoke(name: str, word: str, company: str) -> None:
    officer, duty = officer_named(name), duty_named(word)
    async with company_core(company) as (built, tenant):
        await built.duties.revoke(tenant, cli_officer(), officer, duty)
        say(f"{officer.name} has the duty to {short(duty)} no longer.")


async def officers(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await built.duties.all(tenant)
        if as_json:
            print_json([_trust(trust) for trust in found])
        elif not found:
            say("Nobody was trusted with anything yet: start with")
            say("  atom compliance officers assign OFFICER assign")
        else:
            columns = ("officer", "duty", "from", "since")
            print_table(columns, [tuple(_trust(t).values()) for t in found])


async def approvals(company: str, *, everything: bool, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        asked = built.approvals
        found = await (asked.all(tenant) if everything else asked.waiting(tenant))
        if as_json:
            print_json([asdict(one) for one in found])
        elif not found:
            say("Nothing waits for a second person.")
        else:
            columns = ("approval", "state", "asked by", "until", "what")
            print_table(columns, [_row(one) for one in found])


async def decide(approval: str, company: str, *, agreed: bool) -> None:
    async with company_core(company) as (built, tenant):
        decision = built.approvals.approve if agreed else built.approvals.refuse
        decided = await decision(tenant, cli_officer(), approval)
        said = "agreed to" if agreed else "refused"
        say(f"You {said} {decided.id}: {decided.act}")


def _trust(trust: Trust) -> dict[str, Any]:
    return {
        "officer": trust.officer.name,
        "duty": short(trust.duty),
        "from": trust.granted_by,
        "since": time_said(trust.granted_us),
    }


def _row(one: Approval) -> tuple[str, ...]:
    return (one.id, one.state, one.asked_by, time_said(one.expires_us), one.act)
