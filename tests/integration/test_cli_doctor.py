"""`atom doctor` finds what is wrong, says how to mend it, and changes nothing."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from bots.doctor.findings import State, clock
from tests.clamd_server import ClamdServer
from tests.command_line import CommandLine, Ran
from tests.sandbox import Sandbox, running_sandbox
from tests.servers import Postgres, Redis, free_port
from tests.teams_server import Said, ScriptedTeams, scripted_teams

UUID = "6f2d0f8a-0d0e-4f0e-9d51-2f6b7c1f1a02"
ISSUER = "https://api.botframework.com"


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(tmp_path, capsys)


@pytest.fixture
def slack(atom: CommandLine) -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        atom.variables |= {
            "ATOM_SLACK_SIGNING_SECRET": "sandbox-signing-secret",
            "ATOM_SLACK_BOT_TOKEN": "xoxb-sandbox-T01ACME",
            "ATOM_SLACK_API_URL": sandbox.slack_api,
        }
        yield sandbox


@pytest.fixture
def teams(atom: CommandLine) -> Iterator[ScriptedTeams]:
    """A Microsoft on a thread of its own, where all is well until told otherwise."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = scripted_teams()
    said = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(30)
    keys = f"{said.url}keys"
    said.answer("GET /openid", Said(body={"issuer": ISSUER, "jwks_uri": keys}))
    said.answer("GET /keys", Said(body={"keys": [{"kid": "1"}]}))
    said.answer("POST /token", Said(body={"access_token": "hush", "expires_in": 3600}))
    atom.variables |= {
        "ATOM_TEAMS_APP_ID": UUID,
        "ATOM_TEAMS_APP_PASSWORD": "password-hush",
        "ATOM_TEAMS_TENANT_ID": UUID,
        "ATOM_TEAMS_OPENID_URL": f"{said.url}openid",
        "ATOM_TEAMS_TOKEN_URL": f"{said.url}token",
    }
    try:
        yield said
    finally:
        leaving = server.__aexit__(None, None, None)
        asyncio.run_coroutine_threadsafe(leaving, loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def checks(ran: Ran) -> dict[str, dict[str, str]]:
    return {check["what"]: check for check in ran.json["checks"]}


def states(ran: Ran) -> dict[str, str]:
    return {what: check["state"] for what, check in checks(ran).items()}


def test_a_sound_installation_passes_every_check(
    atom: CommandLine, slack: Sandbox, teams: ScriptedTeams
) -> None:
    atom.set_up()

    ran = atom.run("doctor", "--json")

    assert ran.code == 0
    assert ran.json["ok"] is True
    assert states(ran) == dict.fromkeys(
        [
            "settings", "keys", "database", "proofs", "wrapping keys", "scim", "redis", "clamd", "slack", "slack scopes",
            "slack clock", "teams metadata", "teams clock", "teams bot token",
            "teams graph token",
        ],
        "ok",
    )  # fmt: skip


def test_the_table_is_for_people_and_tells_no_secret(
    atom: CommandLine, slack: Sandbox, teams: ScriptedTeams
) -> None:
    atom.set_up()

    ran = atom.done("doctor")

    assert "Ready to serve." in ran.out
    assert not [word for word in ("hush", "xoxb", "signing-secret") if word in ran.out]


def test_before_setup_it_says_to_set_up_and_leaves_no_trace(
    atom: CommandLine,
) -> None:
    ran = atom.run("doctor", "--json")

    assert ran.code == 1
    assert "atom setup" in checks(ran)["database"]["fix"]
    assert "atom setup" in checks(ran)["keys"]["fix"]
    assert list(atom.folder.iterdir()) == []


def test_platforms_that_are_switched_off_are_warnings(atom: CommandLine) -> None:
    atom.set_up()

    ran = atom.done("doctor", "--json")

    assert states(ran)["slack"] == "warn"
    assert states(ran)["teams"] == "warn"


def test_a_wrong_setting_is_a_finding_with_its_name(atom: CommandLine) -> None:
    atom.variables["ATOM_SLACK_BOT_TOKEN"] = "xoxb-alone"

    ran = atom.run("doctor")

    assert ran.code == 1
    assert "ATOM_SLACK_SIGNING_SECRET is missing" in ran.out
    assert "xoxb" not in ran.out


def test_a_misspelt_variable_is_pointed_out(atom: CommandLine) -> None:
    atom.set_up()
    atom.variables["ATOM_PROT"] = "8080"

    ran = atom.done("doctor")

    assert "ATOM_PROT is no setting" in ran.out


def test_files_that_others_can_read_are_found(atom: CommandLine) -> None:
    atom.set_up()
    (atom.folder / "var/keys/acme.key").chmod(0o644)
    (atom.folder / "atom.toml").chmod(0o640)

    ran = atom.run("doctor", "--json")

    assert ran.code == 1
    assert checks(ran)["keys"]["fix"] == "run 'chmod 600 var/keys/acme.key'"
    assert states(ran)["atom.toml"] == "warn"


def test_what_waits_on_the_disk_and_what_never_will_be_taken_in_is_told(
    atom: CommandLine,
) -> None:
    atom.set_up()
    folder = atom.folder / "var/spool"
    folder.mkdir()
    (folder / "a1.spool").write_bytes(b"x" * 12)
    waits = checks(atom.run("doctor", "--json"))["spool"]
    (folder / "a1.spool").rename(folder / "a1.damaged")
    damaged = checks(atom.run("doctor", "--json"))["spool"]

    assert waits["state"] == damaged["state"] == "warn"
    assert waits["detail"] == "12 bytes wait to be taken in"
    assert damaged["detail"] == "a1.damaged: put aside, the end is not whole"


@pytest.mark.parametrize(
    ("token", "detail"),
    [("xoxb-another", "auth.test said invalid_auth")],
)
def test_a_token_that_slack_does_not_know_is_found(
    atom: CommandLine, slack: Sandbox, token: str, detail: str
) -> None:
    atom.set_up()
    atom.variables["ATOM_SLACK_BOT_TOKEN"] = token

    ran = atom.run("doctor", "--json")

    assert ran.code == 1
    assert checks(ran)["slack"]["detail"] == detail
    assert "copy the token again" in checks(ran)["slack"]["fix"]


def test_a_slack_that_cannot_be_reached_is_found(atom: CommandLine) -> None:
    atom.set_up()
    atom.variables |= {
        "ATOM_SLACK_SIGNING_SECRET": "s",
        "ATOM_SLACK_BOT_TOKEN": "t",
        "ATOM_SLACK_API_URL": "http://127.0.0.1:9/",
    }

    ran = atom.run("doctor", "--json")

    assert "does not answer" in checks(ran)["slack"]["detail"]


def test_trap_a_slack_that_breaks_off_is_found_and_not_asked_again(
    atom: CommandLine, slack: Sandbox
) -> None:
    """Slack's client asks once more by itself, and hides what the doctor looks for."""
    atom.set_up()
    asyncio.run(slack.fault("slack.auth.test", "reset"))

    ran = atom.run("doctor", "--json")

    assert "does not answer" in checks(ran)["slack"]["detail"]


@pytest.mark.parametrize(
    ("token", "state"), [("xapp-sandbox-A01ATOM", "ok"), ("xapp-another", "fail")]
)
def test_the_socket_is_tried_where_slack_may_not_call_in(
    atom: CommandLine, slack: Sandbox, token: str, state: str
) -> None:
    atom.set_up()
    del atom.variables["ATOM_SLACK_SIGNING_SECRET"]
    atom.variables["ATOM_SLACK_APP_TOKEN"] = token

    ran = atom.run("doctor", "--json")

    assert states(ran)["slack socket"] == state


TOKEN_REFUSED = {
    "error": "invalid_client",
    "error_description": "AADSTS7000215: Invalid client secret provided. hush",
}


@pytest.mark.parametrize(
    ("where", "said", "what", "found"),
    [
        ("POST /token", Said(401, TOKEN_REFUSED), "teams bot token", "AADSTS7000215"),
        ("POST /token", Said(400, {"error": "bad"}), "teams graph token", "bad"),
        ("POST /token", Said(200, []), "teams bot token", "no answer (ValueError)"),
        ("POST /token", Said(cut=True), "teams bot token", "no answer"),
        ("GET /openid", Said(503), "teams metadata", "no answer"),
        ("GET /openid", Said(body={}), "teams metadata", "names no keys"),
        ("GET /keys", Said(body={"keys": []}), "teams metadata", "has no keys"),
    ],
)
def test_what_microsoft_refuses_is_found_without_its_words(
    atom: CommandLine,
    teams: ScriptedTeams,
    *,
    where: str,
    said: Said,
    what: str,
    found: str,
) -> None:
    atom.set_up()
    teams.answer(where, said)

    ran = atom.run("doctor", "--json")

    assert ran.code == 1
    assert checks(ran)[what]["state"] == "fail"
    assert found in checks(ran)[what]["detail"]
    assert checks(ran)[what]["fix"]
    assert "hush" not in ran.out


def test_metadata_of_another_issuer_is_found(
    atom: CommandLine, teams: ScriptedTeams
) -> None:
    atom.set_up()
    body: dict[str, Any] = {"issuer": "https://x", "jwks_uri": f"{teams.url}keys"}
    teams.answer("GET /openid", Said(body=body))

    ran = atom.run("doctor", "--json")

    assert "ATOM_TEAMS_ISSUER" in checks(ran)["teams metadata"]["detail"]


def test_a_postgres_is_examined_as_well(atom: CommandLine, postgres: Postgres) -> None:
    with postgres.database() as url:
        atom.variables["ATOM_DATABASE_URL"] = url
        empty = atom.run("doctor", "--json")
        atom.set_up()

        ran = atom.done("doctor", "--json")

    assert "empty" in checks(empty)["database"]["detail"]
    assert "postgresql" in checks(ran)["database"]["detail"]


@pytest.mark.parametrize(
    "url", ["postgresql://atom:hush@127.0.0.1:9/atom", "mysql://h/x", "nonsense"]
)
def test_a_database_that_cannot_be_used_is_found(atom: CommandLine, url: str) -> None:
    atom.variables["ATOM_DATABASE_URL"] = url

    ran = atom.run("doctor", "--json")

    assert states(ran)["database"] == "fail"
    assert "ATOM_DATABASE_URL" in checks(ran)["database"]["fix"]
    assert "hush" not in ran.out


def test_a_database_that_does_not_answer_is_named_and_what_to_do_is_said_once(
    atom: CommandLine,
) -> None:
    atom.variables["ATOM_DATABASE_URL"] = "postgresql://atom:hush@127.0.0.1:9/atom"

    found = checks(atom.run("doctor", "--json"))["database"]

    assert found["detail"] == "PostgreSQL does not answer (asked: 127.0.0.1:9)"
    assert found["fix"] == "start it, or correct ATOM_DATABASE_URL"


def test_a_redis_that_answers_is_well(atom: CommandLine, redis: Redis) -> None:
    atom.set_up()
    atom.variables["ATOM_REDIS_URL"] = redis.url

    ran = atom.done("doctor", "--json")

    assert checks(ran)["redis"]["detail"] == "answers"


@pytest.mark.parametrize(
    ("url", "state"), [("redis://127.0.0.1:9/0", "warn"), ("http://x/", "fail")]
)
def test_a_redis_that_does_not_answer_is_found(
    atom: CommandLine, url: str, state: str
) -> None:
    atom.set_up()
    atom.variables["ATOM_REDIS_URL"] = url

    ran = atom.run("doctor", "--json")

    assert states(ran)["redis"] == state


@pytest.mark.parametrize(
    ("settings", "state", "detail"),
    [
        ({"PEOPLE": "people.yaml"}, "ok", "answers, with 1 entries at first"),
        ({"PEOPLE": "nowhere.yaml"}, "fail", "it cannot be read"),
        ({"URL": "zzz"}, "fail", "ATOM_DIRECTORY_URL: not a directory server"),
        (
            {
                "URL": "ldap://127.0.0.1:9",
                "BASE": "dc=acme",
                "BIND": "cn=atom,dc=acme",
                "PASSWORD": "hush",
            },
            "fail",
            "127.0.0.1",
        ),
    ],
    ids=["a file", "no file", "no address", "nobody there"],
)
def test_a_directory_is_asked(
    atom: CommandLine, settings: dict[str, str], state: str, detail: str
) -> None:
    atom.set_up()
    (atom.folder / "people.yaml").write_text(
        "people:\n  - id: ana\n    name: Ana\n    mail: ana@acme.example\n"
    )
    atom.variables |= {f"ATOM_DIRECTORY_{k}": v for k, v in settings.items()}

    ran = atom.run("doctor", "--json")

    [found] = [one for w, one in checks(ran).items() if w.startswith("directory ")]
    assert (found["state"], ran.code) == (state, 0 if state == "ok" else 1)
    assert detail in found["detail"]
    assert "hush" not in ran.out


def test_scopes_that_were_not_granted_are_named(
    atom: CommandLine, slack: Sandbox
) -> None:
    atom.set_up()
    asyncio.run(slack.set({"slack.scopes": ["chat:write", "commands"]}))

    ran = atom.run("doctor", "--json")

    assert states(ran)["slack scopes"] == "fail"
    assert "channels:history" in checks(ran)["slack scopes"]["detail"]
    assert "chat:write," not in checks(ran)["slack scopes"]["detail"]


def test_a_clamd_that_answers_is_well(atom: CommandLine, clamd: ClamdServer) -> None:
    atom.set_up()
    atom.variables["ATOM_CLAMD_ADDRESS"] = clamd.path

    ran = atom.done("doctor", "--json")

    assert checks(ran)["clamd"]["detail"].startswith("ClamAV ")


def test_a_clamd_that_is_away_is_found(atom: CommandLine) -> None:
    atom.set_up()
    atom.variables["ATOM_CLAMD_ADDRESS"] = f"127.0.0.1:{free_port()}"

    ran = atom.run("doctor", "--json")

    assert states(ran)["clamd"] == "fail"
    assert "ATOM_CLAMD_ADDRESS" in checks(ran)["clamd"]["fix"]


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, State.OK), (-20, State.OK), (60, State.WARN), (-200, State.FAIL)],
)
def test_a_clock_that_is_wrong_is_found(seconds: int, state: State) -> None:
    date = format_datetime(NOW - timedelta(seconds=seconds), usegmt=True)

    [finding] = clock("slack", date, NOW)

    assert finding.state is state


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_without_a_date_the_clock_is_not_judged(date: str | None) -> None:
    assert clock("slack", date, NOW) == []
