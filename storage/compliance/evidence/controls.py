"""
The controls that a pack answers, and which saved queries answer each.

`shows` are queries whose finding is evidence, `against` those whose finding is a gap.
What a regulation asks beyond ATOM's reach is said in `beyond`, so that nobody takes a
page for more than it is.
"""

from dataclasses import dataclass

VERSION = 1


@dataclass(frozen=True, slots=True)
class Control:
    """One control of one framework, in our words."""

    id: str
    framework: str
    title: str
    asks: str
    shows: tuple[str, ...]
    against: tuple[str, ...] = ()
    beyond: str = ""
    whole_log: bool = False


SOC2 = "SOC 2 (Trust Services Criteria)"
ISO = "ISO/IEC 27001:2022, Annex A"
GDPR = "GDPR"
SEC = "SEC Rule 17a-4"

CONTROLS = (
    Control(
        "CC6.1",
        SOC2,
        "Logical access to what is protected",
        "Access to information is given by rule, and decided each time.",
        ("decisions", "configuration", "uses"),
        beyond="Access to the platforms themselves is governed there.",
    ),
    Control(
        "CC6.2",
        SOC2,
        "Granting and removing access",
        "Access is granted by somebody entitled to, and taken away again.",
        ("configuration", "approvals"),
    ),
    Control(
        "CC6.3",
        SOC2,
        "Least privilege and separation of duties",
        "Duties are separate, and dangerous acts take a second person.",
        ("approvals", "refusals"),
    ),
    Control(
        "CC6.7",
        SOC2,
        "Restricting the movement of information",
        "Information leaves its place only where policy allows it.",
        ("decisions", "denials", "scans", "exports"),
        ("orphans",),
    ),
    Control(
        "CC7.1",
        SOC2,
        "Detecting changes of configuration",
        "Changes that could weaken the system are detected.",
        ("configuration",),
        ("clock",),
    ),
    Control(
        "CC7.2",
        SOC2,
        "Monitoring for anomalies",
        "What is out of the ordinary is noticed and can be looked at.",
        ("refusals", "undelivered", "late", "attested"),
        beyond="Nothing found may mean that nothing happened.",
    ),
    Control(
        "CC7.3",
        SOC2,
        "Evaluating security events",
        "Events that may be incidents are followed up.",
        ("filled", "attested"),
        ("gaps",),
    ),
    Control(
        "CC7.4",
        SOC2,
        "Responding to incidents",
        "Incidents are contained and put right, on record.",
        ("filled", "configuration"),
        beyond="Who was informed, and when, is the company's own record.",
    ),
    Control(
        "CC8.1",
        SOC2,
        "Managing changes",
        "Changes are authorised and recorded, before and after.",
        ("configuration", "approvals"),
        beyond="Changes of ATOM's own program are its operator's record.",
    ),
    Control(
        "A.5.28",
        ISO,
        "Collection of evidence",
        "Evidence is identified, collected and preserved so that it stands up.",
        ("entries", "exports", "holds"),
        whole_log=True,
    ),
    Control(
        "A.5.33",
        ISO,
        "Protection of records",
        "Records are protected from loss, destruction and falsification.",
        ("entries", "retention", "holds"),
        whole_log=True,
    ),
    Control(
        "A.8.10",
        ISO,
        "Deletion of information",
        "What is no longer needed is deleted, and that can be shown.",
        ("disposals", "erasures", "retention"),
    ),
    Control(
        "A.8.15",
        ISO,
        "Logging",
        "Activities are logged, and the log is protected and looked at.",
        ("entries", "uses", "refusals"),
        whole_log=True,
    ),
    Control(
        "A.8.17",
        ISO,
        "Clock synchronisation",
        "Clocks agree with an approved source of time.",
        ("messages",),
        ("skewed", "clock"),
        beyond="Compared are the platforms' times with ours, for what came at once.",
    ),
    Control(
        "A.8.24",
        ISO,
        "Use of cryptography",
        "Keys are made, rotated and destroyed by rule.",
        ("keys",),
    ),
    Control(
        "Art. 5",
        GDPR,
        "Principles, and being able to show them",
        "Data is accurate, kept no longer than needed, and safe; and that is shown.",
        ("revisions", "retention", "disposals", "decisions"),
        beyond="Lawfulness and purpose are the controller's to state.",
    ),
    Control(
        "Art. 15",
        GDPR,
        "Right of access",
        "Whoever asks gets a copy, its recipients and its logic within a month.",
        ("subject_access",),
    ),
    Control(
        "Art. 17",
        GDPR,
        "Right to erasure",
        "What has to be erased is erased, unless an exemption holds.",
        ("erasures", "disposals"),
    ),
    Control(
        "Art. 18",
        GDPR,
        "Right to restriction",
        "What is restricted is kept and not used.",
        ("restrictions",),
    ),
    Control(
        "Art. 19",
        GDPR,
        "Telling recipients",
        "Each recipient is told of an erasure or restriction.",
        ("notices",),
    ),
    Control(
        "Art. 20",
        GDPR,
        "Right to data portability",
        "People get their data in a structured, machine-readable form.",
        ("portability",),
    ),
    Control(
        "Art. 30",
        GDPR,
        "Records of processing",
        "What is processed, why and for how long is written down.",
        ("processing",),
    ),
    Control(
        "Art. 32",
        GDPR,
        "Security of processing",
        "Confidentiality, integrity and availability are kept and tested.",
        ("keys", "decisions", "uses"),
        ("orphans",),
        whole_log=True,
    ),
    Control(
        "Art. 33",
        GDPR,
        "Notifying breaches",
        "A breach is noticed, and told to the authority within 72 hours.",
        ("refusals", "late"),
        ("gaps",),
        beyond="Whether something is a breach, and telling of it, is a person's work.",
    ),
    Control(
        "Art. 35",
        GDPR,
        "Impact assessment",
        "High risks are assessed before they are taken.",
        ("assessments",),
    ),
    Control(
        "17a-4(f)(2)(i)(A)",
        SEC,
        "Audit trail of records",
        "Every version and deletion is kept with who and when, so that the original "
        "can be made again.",
        ("entries", "revisions", "copies"),
        ("orphans",),
        beyond="The undertaking of an executive officer or third party is separate.",
        whole_log=True,
    ),
)
