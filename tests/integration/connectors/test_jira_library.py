"""The `jira` library, as it is, talks to the local Jira."""

import asyncio

import pytest
from aiohttp.test_utils import TestServer
from jira import JIRA, JIRAError

from connectors.sandbox.jira.app import Jira
from connectors.sandbox.jira.seed import paragraph


def client(server: TestServer, who: str) -> JIRA:
    return JIRA(
        str(server.make_url("")).rstrip("/"),
        options={"rest_api_version": "3"},
        basic_auth=(f"{who}@acme.example", f"sandbox-jira-{who}"),
        max_retries=0,
    )


async def test_the_library_reads_searches_and_writes(jira_server: TestServer) -> None:
    def use() -> tuple[str, list[str], str, str]:
        bob = client(jira_server, "bob")
        issue = bob.issue("ACME-42")
        found = bob.enhanced_search_issues('project = ACME AND summary ~ "globex"')
        bob.add_comment(issue, paragraph("Found it."))
        issue.update(fields={"priority": {"id": "1"}})
        bob.transition_issue(issue, "31", fields={"resolution": {"name": "Done"}})
        after = bob.issue("ACME-42")
        keys = sorted(each.key for each in found)
        return (
            issue.fields.summary,
            keys,
            after.fields.status.name,
            after.fields.priority.name,
        )

    summary, keys, status, priority = await asyncio.to_thread(use)

    assert summary == "Login fails after the Falcon update"
    assert keys == ["ACME-39", "ACME-45"]
    assert (status, priority) == ("Done", "Highest")


async def test_the_library_makes_issues(jira: Jira, jira_server: TestServer) -> None:
    def use() -> str:
        made = client(jira_server, "chen").create_issue(
            project="ACME", summary="Made by a library", issuetype={"name": "Task"}
        )
        return made.key

    key = await asyncio.to_thread(use)

    assert jira.site.found(key) is not None


async def test_the_library_hears_what_is_refused(jira_server: TestServer) -> None:
    def use() -> None:
        client(jira_server, "bob").issue("ACME-43")

    with pytest.raises(JIRAError) as raised:
        await asyncio.to_thread(use)

    assert raised.value.status_code == 404
