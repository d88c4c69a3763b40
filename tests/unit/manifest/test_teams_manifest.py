"""Teams' manifest: its form, its sense, and that it asks for what the code uses."""

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from PIL import Image

from bots.sandbox.teams.defaults import DEFAULTS
from bots.teams import record_asked
from manifest import teams_rules
from manifest.build import teams_manifest
from manifest.package import package_problems, packed
from tests.unit.bots.commands.conftest import Office
from tests.unit.manifest.test_slack_manifest import ROOT, change

URL = "https://atom.example.com"
BOT = "6f2d0f8a-0d0e-4f0e-9d51-2f6b7c1f1a02"
OTHER = "6f2d0f8a-0d0e-4f0e-9d51-2f6b7c1f1a03"
ICONS = ROOT / "manifest/teams"


@pytest.fixture
def manifest() -> dict[str, Any]:
    return teams_manifest(URL, BOT)


def icons() -> dict[str, bytes]:
    return {n: (ICONS / n).read_bytes() for n in ("color.png", "outline.png")}


def test_it_has_the_right_form_and_makes_sense(manifest: dict[str, Any]) -> None:
    assert teams_rules.problems(manifest) == []


def test_no_placeholder_is_left(manifest: dict[str, Any]) -> None:
    assert "{{" not in json.dumps(manifest)


RSC = "authorization/permissions/resourceSpecific"
LISTED = "bots/0/commandLists/0"
TAB = {
    "entityId": "home",
    "name": "Home",
    "contentUrl": f"{URL}/tab",
    "websiteUrl": f"{URL}/tab",
    "scopes": ["personal"],
}
LINKS = {"title": "links", "description": "List the links"}


def extension(*commands: dict[str, Any], bot: str = BOT, watch: str = "") -> Any:
    handler = {"type": "link", "value": {"domains": [watch]}}
    handlers = [handler] if watch else []
    return [{"botId": bot, "commands": list(commands), "messageHandlers": handlers}]


QUERY = {"id": "find", "type": "query", "title": "Find"}
ACTION = {"id": "send", "type": "action", "title": "Send"}

FORM: list[tuple[str, Any, str]] = [
    ("name/short", "x" * 31, "1 to 30"),
    ("name/full", "x" * 101, "1 to 100"),
    ("description/short", "x" * 81, "1 to 80"),
    ("description/full", "x" * 4001, "1 to 4000"),
    ("developer/name", "x" * 33, "1 to 32"),
    ("id", "atom", "/id"),
    ("accentColor", "#123", "/accentColor"),
    ("packageName", "com.example", "is not known"),
    ("defaultInstallScope", "everywhere", "one of"),
    ("bots/0/scopes/+", "groupchat", "one of"),
    (f"{LISTED}/commands", [LINKS] * 13, "1 to 12"),
    (f"{LISTED}/commands/0/description", None, "is missing"),
    (RSC, [{"name": "X", "type": "Application"}] * 17, "0 to 16"),
    ("bots", [{"botId": BOT, "scopes": ["team"]}] * 2, "0 to 1"),
    ("validDomains", "atom.example.com", "must be a list"),
]


@pytest.mark.parametrize(("path", "value", "said"), FORM)
def test_a_wrong_form_is_found(
    manifest: dict[str, Any], path: str, value: Any, said: str
) -> None:
    change(path, value)(manifest)

    assert any(said in problem for problem in teams_rules.problems(manifest))


SENSE: list[tuple[str, Any, str]] = [
    ("version", "1.02.0", "leading zeros"),
    ("version", "1.0", "three numbers"),
    ("manifestVersion", "1.24", "different versions"),
    ("name/short", "ATOM for Teams", "neither Teams"),
    ("developer/privacyUrl", "http://atom.example.com", "https://"),
    ("validDomains", ["https://atom.example.com"], "bare host"),
    ("validDomains", ["*.ngrok.io"], "let anybody in"),
    ("staticTabs", [TAB], "validDomains does not hold"),
    (f"{RSC}/+", {"name": "Channel.Read", "type": "Application"}, "is no resource"),
    (f"{RSC}/0/type", "Delegated", "is for the type Application"),
    (f"{RSC}/1/name", "ChannelMessage.Read.Group", "asked for twice"),
    ("webApplicationInfo", None, "permissions need"),
    ("webApplicationInfo/resource", None, "permissions need"),
    ("webApplicationInfo/resource", f"api://atom.example.com/botid-{BOT}", "HOST"),
    ("composeExtensions", extension(QUERY), "find needs parameters"),
    ("composeExtensions", extension(ACTION), "send needs parameters or fetchTask"),
    ("composeExtensions", extension(watch="https://x.example"), "bare host"),
    ("composeExtensions", extension(watch="x.azurewebsites.net"), "anybody's"),
    ("composeExtensions", extension(bot=OTHER), "different bots"),
    (f"{LISTED}/commands/+", LINKS, "links is there twice"),
    ("bots/0/scopes", ["personal"], "where the bot is not"),
    (
        "activities/activityTypes",
        [{"type": "systemDefault", "description": "d", "templateText": "t"}],
        "systemDefault",
    ),
]


@pytest.mark.parametrize(("path", "value", "said"), SENSE)
def test_what_makes_no_sense_is_found(
    manifest: dict[str, Any], path: str, value: Any, said: str
) -> None:
    change(path, value)(manifest)

    assert any(said in problem for problem in teams_rules.problems(manifest))


def test_every_rule_has_a_mutation_that_breaks_it() -> None:
    broken = set()
    for path, value, _ in SENSE:
        mutated = teams_manifest(URL, BOT)
        change(path, value)(mutated)
        broken |= {rule for rule in teams_rules.RULES if list(rule(mutated))}

    assert set(teams_rules.RULES) - broken == set()


def test_a_tab_on_a_valid_domain_and_a_sign_in_on_it_make_sense(
    manifest: dict[str, Any],
) -> None:
    resource = f"api://atom.example.com/botid-{BOT}"
    change("staticTabs", [TAB])(manifest)
    change("validDomains", ["*.example.com"])(manifest)
    change("webApplicationInfo/resource", resource)(manifest)

    assert teams_rules.problems(manifest) == []


def test_the_commands_suggested_are_ten_of_those_that_can_be_typed(
    manifest: dict[str, Any],
) -> None:
    [bot] = manifest["bots"]
    [listed] = bot["commandLists"]
    known = [command.name for command in Office().commands.known]

    titles = [command["title"] for command in listed["commands"]]

    # Teams takes no more than ten; `help`, the last of them, tells all.
    assert len(titles) == 10
    assert titles == [name for name in known if name in titles]
    assert titles[-1] == "help"


def test_the_extension_offers_what_is_answered(manifest: dict[str, Any]) -> None:
    [extension] = manifest["composeExtensions"]

    commands = {one["id"]: one["type"] for one in extension["commands"]}

    assert commands == {
        record_asked.SEARCH: "query",
        record_asked.CREATE: "action",
        record_asked.REACTIONS: "action",
    }


def test_the_permissions_are_those_that_graph_calls_and_messages_need(
    manifest: dict[str, Any],
) -> None:
    graph = (ROOT / "bots/teams/graph.py").read_text("utf-8")
    needed = {"ChannelMessage.Read.Group"}  # to hear what is said without a mention
    if "/members" in graph:
        needed.add("TeamMember.Read.Group")
    if "/driveItem" in (ROOT / "bots/teams/file_source.py").read_text("utf-8"):
        needed.add("File.Read.Group")

    granted = manifest["authorization"]["permissions"]["resourceSpecific"]

    assert {permission["name"] for permission in granted} == needed
    # What ATOM is tried with is what it is given, and no more.
    assert set(DEFAULTS["teams.graph_grants"]) == needed


def test_it_may_be_added_to_private_and_shared_channels(
    manifest: dict[str, Any],
) -> None:
    # Teams offers an app there only if it says so, which takes schema 1.25.
    assert manifest["supportsChannelFeatures"] == "tier1"
    assert manifest["manifestVersion"] == "1.25"


def test_the_package_is_flat_whole_and_the_same_each_time(
    manifest: dict[str, Any],
) -> None:
    package = packed(manifest, icons())

    with ZipFile(BytesIO(package)) as opened:
        names = opened.namelist()
        inside = json.loads(opened.read("manifest.json"))
    assert names == ["manifest.json", "color.png", "outline.png"]
    assert inside == manifest
    assert package_problems(package) == []
    assert packed(manifest, icons()) == package


def test_an_icon_in_a_folder_or_missing_is_found(manifest: dict[str, Any]) -> None:
    moved = {f"icons/{name}": content for name, content in icons().items()}

    problems = package_problems(packed(manifest, moved))

    assert "color.png is missing" in problems
    assert "icons/color.png stands in a folder" in problems


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"color.png": "outline.png"}, "color.png must be 192"),
        ({"outline.png": "color.png"}, "outline.png must be 32"),
        ({"outline.png": "color.png"}, "outline.png must be transparent"),
        ({"color.png": "make_icons.py"}, "color.png is no PNG"),
    ],
)
def test_a_wrong_icon_is_found(
    manifest: dict[str, Any], files: dict[str, str], said: str
) -> None:
    swapped = {name: (ICONS / file).read_bytes() for name, file in files.items()}

    problems = package_problems(packed(manifest, icons() | swapped))

    assert any(said in problem for problem in problems)


def test_the_outline_is_white_on_nothing() -> None:
    with Image.open(ICONS / "outline.png") as outline:
        raw = outline.convert("RGBA").tobytes()

    pixels = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    assert {pixel[:3] for pixel in pixels if pixel[3]} == {b"\xff\xff\xff"}
    assert pixels[0][3] == 0


def test_the_colour_icon_fills_its_square() -> None:
    with Image.open(ICONS / "color.png") as color:
        corners = {color.getpixel((x, y)) for x in (0, 191) for y in (0, 191)}

    assert corners == {(31, 58, 95)}
