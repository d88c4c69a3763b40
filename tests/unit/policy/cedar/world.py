"""A small company with a policy of its own, for the tests of the engine."""

from dataclasses import dataclass, field

from bridge.access import Action, Asked, Label
from bridge.directory.model import Kind, Standing, Subject
from bridge.messages import Channel, Person, PersonKind, Platform
from policy.cedar.bundle import Bundle, Draft, build
from policy.cedar.engine import Engine
from policy.cedar.naming import FromDirectory
from policy.default import MembershipPolicy
from tests.fakes_directory import FakeDirectory

TENANT = "acme"
COMMANDS = ("help", "link", "officers", "status", "why")
FIN_SLACK = Channel(Platform.SLACK, "T1", "C-FIN")
FIN_TEAMS = Channel(Platform.TEAMS, "19:team", "19:fin")
TALK_SLACK = Channel(Platform.SLACK, "T1", "C-TALK")
TALK_TEAMS = Channel(Platform.TEAMS, "19:team", "19:talk")

FRONT = """
roles:
  approver: {groups: [Finance Leads]}
spaces:
  finance: ["slack:T1/C-FIN", "teams:19:team/19:fin"]
channels:
  "slack:T1/C-FIN": {name: fin, classification: confidential, owners: [Ana Ek]}
  "teams:19:team/19:fin": {classification: confidential}
records:
  salesforce/opportunity: {classification: confidential, department: Finance}
rules:
  - id: finance-talks
    allow: [bridge.post, bridge.read, bridge.edit]
    who: {group: GG-Finance-All}
    where: {links_between: [space:finance, space:finance]}
    reason: Finance talks in its own channels.
  - id: no-files-by-contractors
    deny: bridge.file
    who: {unit: Contractors}
    reason: Contractors do not hand files over.
  - id: leads-approve
    allow: record.approve
    who: {role: approver}
    where: {record: salesforce/opportunity}
"""


def person(id_: str, kind: PersonKind = PersonKind.USER) -> Person:
    return Person(Platform.SLACK, id_, id_, kind=kind)


def directory() -> FakeDirectory:
    people = {
        "ana": Subject(
            "p-ana",
            "Ana Ek",
            department="d-fin",
            clearance=2,
            confidence=3,
            ancestors=frozenset({"group:g-emea", "group:g-fin", "department:d-fin"}),
            version=1,
        ),
        "bob": Subject("p-bob", "Bob Ray", confidence=2, version=1),
        "leo": Subject(
            "p-leo",
            "Leo Fox",
            clearance=2,
            confidence=2,
            ancestors=frozenset({"group:g-leads", "unit:u-con"}),
            version=1,
        ),
        "gus": Subject("p-gus", "Gus Guest", guest=True, confidence=2, version=1),
        "off": Subject("p-off", "Off Duty", Standing.DISABLED, confidence=3, version=1),
        "meh": Subject("p-meh", "Meh Guess", confidence=0, version=1),
        "adr": Subject("p-adr", "Adr Ess", confidence=1, version=1),
    }
    things = {
        (Kind.GROUP, "g-fin"): "GG-Finance-All",
        (Kind.GROUP, "g-emea"): "Finance EMEA",
        (Kind.GROUP, "g-leads"): "Finance Leads",
        (Kind.UNIT, "u-con"): "Contractors",
        (Kind.DEPARTMENT, "d-fin"): "Finance",
        **{(Kind.PERSON, s.id): s.name for s in people.values()},
    }
    return FakeDirectory(
        TENANT,
        {f"slack:{key}": subject for key, subject in people.items()},
        things,
        {("p-ana", "group:g-fin"): ("Finance EMEA", "GG-Finance-All")},
    )


@dataclass
class World:
    """The engine over the directory, with what it raised alarms about."""

    directory: FakeDirectory = field(default_factory=directory)
    alarms: list[tuple[str, str, str]] = field(default_factory=list)
    now: float = 0.0
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine(
            self.directory,
            MembershipPolicy(),
            alarm=lambda *alarm: self.alarms.append(alarm),
            steady=lambda: self.now,
            checked=True,
        )
        self.publish(FRONT)

    def build(self, front: str, cedar: str = "") -> Bundle:
        resolver = FromDirectory(self.directory, TENANT)
        return build(TENANT, Draft(front, cedar), resolver, COMMANDS)

    def publish(self, front: str, cedar: str = "") -> Bundle:
        bundle = self.build(front, cedar)
        self.engine.use(bundle)
        return bundle


def asked(
    who: str,
    action: Action = Action.POST,
    channel: Channel | None = TALK_SLACK,
    target: Channel | None = TALK_TEAMS,
    *,
    kind: PersonKind = PersonKind.USER,
    label: Label = Label.PUBLIC,
    thing: str = "",
    outsiders: bool = False,
    field_class: str = "",
    tenant: str = TENANT,
) -> Asked:
    return Asked(
        tenant,
        person(who, kind),
        action,
        channel,
        target,
        "L1",
        "T1",
        label,
        thing,
        field_class,
        outsiders,
    )
