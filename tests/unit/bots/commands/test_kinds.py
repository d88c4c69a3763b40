"""Which commands may be answered twice, and which may not be done twice."""

import pytest

from bots.commands.kinds import kind_of
from bots.commands.standard import NAMES
from bridge.unanswered import Kind

READS = """help
status
status all
links
who @ada
me
me code
why
why @ada bridge.post here
what-if add @ada to Sales
search from:ada plan
link ABCD-EFGH dry-run
link dry-run
reactions 1716500000.000100
find globex
case 00001026
jira ACME-42
dead
review
approvals
hold
hold list
officers
options
options L1
policy
policy history
directory
kept
kept @ada
runs
runs all
runs R1
members
members L1
records
subscriptions
channels list
workspaces
connect jira
do edit ACME-42 priority=High
STATUS"""
CHANGES = """link
link ABCD-EFGH
unlink
pause
resume
retry all
drop all
replay 2h
release 4.1
refuse 4.1
approve A1
hold create atlas from:ada
hold release H1
officers assign ada search
options files=link
policy apply 0123
directory approve 0123
kept end @ada
runs R1 approve 012345
runs R1 revert
members L1 agree 0123
records level name
follow ACME-42
unfollow S1
me not
me ABCD-EFGH
who @ada is ada@acme.example
no-such-command"""
OUTSIDE = """channels archive C1 confirm
workspaces archive T1 confirm
sessions reset @ada confirm
disconnect jira"""


@pytest.mark.parametrize("line", ["", *READS.splitlines()])
def test_what_only_shows_something_may_be_answered_twice(line: str) -> None:
    assert kind_of(line) is Kind.READS


@pytest.mark.parametrize("line", CHANGES.splitlines())
def test_what_changes_something_may_not_be_done_twice(line: str) -> None:
    assert kind_of(line) is Kind.CHANGES


@pytest.mark.parametrize("line", OUTSIDE.splitlines())
def test_what_changes_something_elsewhere_can_only_be_looked_for_there(
    line: str,
) -> None:
    assert kind_of(line) is Kind.OUTSIDE


def test_every_command_is_spoken_of_here() -> None:
    """A new command is to be thought about: does it show, or change?"""
    lines = f"{READS}\n{CHANGES}\n{OUTSIDE}".lower().splitlines()
    kinds = {"account", "contact", "opp", "incident", "change", "catalog", "deal"}
    spoken = {line.split()[0] for line in lines}

    assert {name for name in NAMES if name not in spoken} <= kinds | {
        "company",
        "ticket",
    }
