"""What can be typed about keeping: `atom compliance retention|hold|dispose …`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.compliance import compliance_app
from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
ARule = Annotated[str, typer.Argument(help="The rule's id, of your choice.")]
AHold = Annotated[
    str, typer.Argument(help="The hold's id; 'atom compliance hold list' shows it.")
]
AnEntry = Annotated[int, typer.Argument(help="The entry's position in the log.", min=0)]
People = Annotated[
    list[str] | None,
    typer.Option(
        "--person", help="slack:TEAM_ID/USER_ID or teams:TENANT_ID/USER_ID; repeatable."
    ),
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        help="slack:TEAM_ID/CHANNEL_ID or teams:TEAM_ID/CHANNEL_ID; repeatable.",
    ),
]
AQuery = Annotated[str, typer.Option("--query", help="What a search would find.")]
From = Annotated[str, typer.Option("--from", help="A date: said or captured then.")]
Until = Annotated[str, typer.Option("--to", help="A date: said or captured before.")]
Everything = Annotated[
    bool, typer.Option("--everything", help="Hold all there is and will be.")
]


retention_app = group("How long what is on record is kept.")
hold_app = group("Legal holds: what is kept whatever else asks for its end.")
compliance_app.add_typer(retention_app, name="retention")
compliance_app.add_typer(hold_app, name="hold")


@retention_app.command("set")
def set_rule(
    rule: ARule,
    delete: Annotated[
        str, typer.Option(help="Delete after: 90d, 6m, 7y, 0 or forever (never).")
    ] = "none",
    keep: Annotated[
        str, typer.Option(help="Keep at least: 90d, 7y, forever.")
    ] = "none",
    channel: Annotated[str, typer.Option(help="For this channel alone.")] = "",
    label: Annotated[str, typer.Option(help="For messages with this label.")] = "",
    floor: Annotated[
        str,
        typer.Option(
            help="A regulator's minimum: sec-17a-4, finra-4511, mifid-ii, mifid-ii-7, "
            "or 'own' with --keep."
        ),
    ] = "",
    name: Annotated[str, typer.Option(help="What people call the rule.")] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Make a rule, or change it. Nothing goes because of it for a day."""
    from bots.command_line.retention_work import RuleWish
    from bots.command_line.retention_work import set_rule as made

    wish = RuleWish(rule, name, delete, keep, channel, label, floor)
    asyncio.run(made(wish, company, as_json=json))


@retention_app.command("list")
def rules(company: OfCompany = "", json: AsJson = False) -> None:
    """Show the rules."""
    from bots.command_line.retention_work import rules as show

    asyncio.run(show(company, as_json=json))


@retention_app.command("remove")
def remove(rule: ARule, company: OfCompany = "") -> None:
    """Take a rule away. Nothing goes because of that for a day."""
    from bots.command_line.retention_work import remove as take

    asyncio.run(take(rule, company))


@retention_app.command("label")
def label(
    channel: Annotated[str, typer.Argument(help="The channel's address.")],
    message: Annotated[str, typer.Argument(help="The platform's id of the message.")],
    label: Annotated[str, typer.Argument(help="The label.")],
    company: OfCompany = "",
) -> None:
    """Label a message in all its revisions and copies, for rules to be about."""
    from bots.command_line.retention_work import label as put

    asyncio.run(put(channel, message, label, company))


@retention_app.command("explain")
def explain(entry: AnEntry, company: OfCompany = "", json: AsJson = False) -> None:
    """Say what is to become of an entry, and which rule or hold says so."""
    from bots.command_line.retention_work import explain as say_why

    asyncio.run(say_why(entry, company, as_json=json))


hold_app.command("explain")(explain)


@hold_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="The matter that it is for.")],
    person: People = None,
    channel: Channels = None,
    query: AQuery = "",
    from_: From = "",
    to: Until = "",
    everything: Everything = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Hold what all the options together are about, past and future, from now on."""
    from bots.command_line.hold_work import ScopeWish
    from bots.command_line.hold_work import create as make

    wish = ScopeWish(person or (), channel or (), query, from_, to, everything)
    asyncio.run(make(name, wish, company, as_json=json))


@hold_app.command("widen")
def widen(
    hold: AHold,
    person: People = None,
    channel: Channels = None,
    query: AQuery = "",
    from_: From = "",
    to: Until = "",
    everything: Everything = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Let a hold keep this as well."""
    from bots.command_line.hold_work import ScopeWish
    from bots.command_line.hold_work import widen as more

    wish = ScopeWish(person or (), channel or (), query, from_, to, everything)
    asyncio.run(more(hold, wish, company, as_json=json))


@hold_app.command("list")
def holds(company: OfCompany = "", json: AsJson = False) -> None:
    """Show every hold that there is or was."""
    from bots.command_line.hold_work import holds as show

    asyncio.run(show(company, as_json=json))


@hold_app.command("show")
def show_hold(hold: AHold, company: OfCompany = "", json: AsJson = False) -> None:
    """Show what a hold is about."""
    from bots.command_line.hold_work import show

    asyncio.run(show(hold, company, as_json=json))


@hold_app.command("release")
def release(hold: AHold, company: OfCompany = "", json: AsJson = False) -> None:
    """Release a hold; it goes on holding for a grace of 30 days."""
    from bots.command_line.hold_work import release as let_go

    asyncio.run(let_go(hold, company, as_json=json))


@compliance_app.command("dispose")
def dispose(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say only what would go.")
    ] = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Shred what is due and kept by nothing. While ATOM serves it does so hourly."""
    from bots.command_line.retention_work import dispose as shred

    asyncio.run(shred(company, dry=dry_run, as_json=json))


@compliance_app.command("dispositions")
def dispositions(company: OfCompany = "", json: AsJson = False) -> None:
    """Show what was disposed of, and which entry of the log says so."""
    from bots.command_line.retention_work import dispositions as show

    asyncio.run(show(company, as_json=json))
