"""The local Jira fails where the real one does."""

import pytest

from connectors.sandbox.jira.app import Jira
from connectors.sandbox.jira.seed import paragraph
from tests.integration.connectors.callers import Caller

V3 = "/rest/api/3"
EX = "/ex/jira/11223344-a1b2-3b33-c444-def123456789/rest/api/3"


async def searched(at_jira: Caller, who: str, jql: str, **more: object) -> list[str]:
    body = {"jql": jql, "fields": ["summary"], **more}
    status, told = await at_jira(who, "POST", f"{V3}/search/jql", body)
    assert status == 200, told
    return [each["key"] for each in told["issues"]]


async def test_the_old_search_is_gone(at_jira: Caller) -> None:
    status, told = await at_jira("bob", "GET", f"{V3}/search", jql="project = ACME")

    assert status == 410
    assert "search/jql" in told["errorMessages"][0]


async def test_a_search_gives_ids_alone_unless_asked(at_jira: Caller) -> None:
    _, told = await at_jira("bob", "GET", f"{V3}/search/jql", jql="key = ACME-42")

    assert told == {"issues": [{"id": "10042"}], "isLast": True}


@pytest.mark.parametrize("jql", ["", "order by created", "nonsense = 1", 'summary ~ "'])
async def test_what_restricts_nothing_or_makes_no_sense_is_refused(
    at_jira: Caller, jql: str
) -> None:
    status, _ = await at_jira("bob", "POST", f"{V3}/search/jql", {"jql": jql})

    assert status == 400


async def test_pages_follow_each_other_by_token(at_jira: Caller) -> None:
    asked = {"jql": "project = ACME", "fields": ["summary"], "maxResults": 4}
    keys: list[str] = []
    while True:
        _, told = await at_jira("alice", "POST", f"{V3}/search/jql", asked)
        assert "total" not in told
        keys += [each["key"] for each in told["issues"]]
        if told["isLast"]:
            break
        asked["nextPageToken"] = told["nextPageToken"]

    assert sorted(keys) == [f"ACME-{n}" for n in range(38, 48)]


async def test_the_index_is_late_unless_issues_are_named(
    at_jira: Caller, jira: Jira
) -> None:
    jira.site.lag = 20.0
    fields = {"summary": "Kestrel", "project": {"key": "ACME"}}
    body = {"fields": {**fields, "issuetype": {"name": "Bug"}}}
    _, made = await at_jira("bob", "POST", f"{V3}/issue", body)
    jql = 'summary ~ "kestrel"'

    assert await searched(at_jira, "bob", jql) == []
    fresh = [int(made["id"])]
    assert await searched(at_jira, "bob", jql, reconcileIssues=fresh) == [made["key"]]
    jira.clock.move(21)
    assert await searched(at_jira, "bob", jql) == [made["key"]]


async def test_secured_issues_are_for_those_of_their_level(at_jira: Caller) -> None:
    for_dana, _ = await at_jira("dana", "GET", f"{V3}/issue/ACME-43")
    for_bob, told = await at_jira("bob", "GET", f"{V3}/issue/ACME-43")

    assert (for_dana, for_bob) == (200, 404)
    assert told["errorMessages"] == [
        "Issue does not exist or you do not have permission to see it."
    ]
    assert await searched(at_jira, "bob", "key = ACME-43") == []
    _, nothing = await at_jira("bob", "GET", f"{V3}/issue/ACME-999")
    assert nothing == told


async def test_transitions_follow_the_workflow_and_ask_for_fields(
    at_jira: Caller,
) -> None:
    path = f"{V3}/issue/ACME-42/transitions"
    wrong, _ = await at_jira("bob", "POST", path, {"transition": {"id": "11"}})
    bare, told = await at_jira("bob", "POST", path, {"transition": {"id": "31"}})
    whole = {"transition": {"id": "31"}, "fields": {"resolution": {"name": "Done"}}}
    done, nothing = await at_jira("bob", "POST", path, whole)

    assert (wrong, bare, done, nothing) == (400, 400, 204, None)
    assert "resolution" in told["errors"]
    _, issue = await at_jira("bob", "GET", f"{V3}/issue/ACME-42", fields="status")
    assert issue["fields"]["status"]["statusCategory"]["key"] == "done"


async def test_comments_are_documents_and_some_are_for_a_few(at_jira: Caller) -> None:
    path = f"{V3}/issue/ACME-42/comment"
    refused, _ = await at_jira("bob", "POST", path, {"body": "just text"})
    said, _ = await at_jira("bob", "POST", path, {"body": paragraph("Fixed.")})

    _, to_bob = await at_jira("bob", "GET", path)
    _, to_erin = await at_jira("erin", "GET", path)
    assert (refused, said) == (400, 201)
    assert (to_bob["total"], to_erin["total"]) == (3, 4)


async def test_writes_to_one_issue_are_limited_by_themselves(
    at_jira: Caller, jira: Jira
) -> None:
    jira.site.per_issue = 1
    jira.clock.stop()
    path = f"{V3}/issue/ACME-42/comment"
    body = {"body": paragraph("One.")}

    first, _ = await at_jira("bob", "POST", path, body)
    second, _ = await at_jira("chen", "POST", path, body)
    other, _ = await at_jira("chen", "POST", path.replace("42", "40"), body)
    jira.clock.move(3)
    later, _ = await at_jira("chen", "POST", path, body)

    assert (first, second, other, later) == (201, 429, 201, 201)


async def test_apps_come_through_the_gateway(at_jira: Caller) -> None:
    _, sites = await at_jira("bob", "GET", "/oauth/token/accessible-resources")
    status, me = await at_jira("bob", "GET", f"{EX}/myself")

    assert sites[0]["id"] in EX
    assert (status, me["displayName"]) == (200, "Bob Stone")
    other = EX.replace("11223344", "99999999")
    assert (await at_jira("bob", "GET", f"{other}/myself"))[0] == 404


async def test_webhooks_of_apps_end_after_thirty_days(
    at_jira: Caller, jira: Jira
) -> None:
    hook = {"jqlFilter": "project = ACME", "events": ["jira:issue_updated"]}
    body = {"url": "http://127.0.0.1:9/hooks/jira", "webhooks": [hook]}
    _, told = await at_jira("atom", "POST", f"{V3}/webhook", body)
    number = told["webhookRegistrationResult"][0]["createdWebhookId"]

    jira.clock.move(29 * 86_400)
    ids = {"webhookIds": [number]}
    await at_jira("atom", "PUT", f"{V3}/webhook/refresh", ids)
    jira.clock.move(29 * 86_400)
    _, kept = await at_jira("atom", "GET", f"{V3}/webhook")
    jira.clock.move(2 * 86_400)
    _, gone = await at_jira("atom", "GET", f"{V3}/webhook")

    assert [each["id"] for each in kept["values"]] == [number]
    assert gone["values"] == []
