"""
Every type that a log entry may have, with what it says.

Nothing else is ever written: a type that is missing here fails a test. Documentation
and programs that read the log take their list from here.
"""

from collections.abc import Mapping

from bridge.lifecycle import DETAIL, Change
from bridge.messages import Event, EventKind

ENTRY_TYPES: Mapping[str, str] = {
    # What people said and did.
    "message.create": "a message was said",
    "message.edit": "a message was changed; the entry has the new content",
    "message.delete": "a message was deleted",
    "message.restore": "a deleted message was brought back",
    "reaction.add": "somebody reacted to a message",
    "reaction.remove": "somebody took a reaction back",
    "pin.add": "a message was pinned to its conversation",
    "pin.remove": "a message is not pinned any more",
    "file.share": "a file was shared; the outcome says whether its bytes are kept",
    "file.update": "a shared file has another name, type or size",
    "file.delete": "a file was taken out of its message, or went with it",
    "member.join": "somebody joined a conversation, or was found in it",
    "member.leave": "somebody left a conversation, or was found gone",
    "user.profile": "somebody's profile changed",
    "user.deactivate": "somebody's account was closed",
    "conv.create": "a conversation was made",
    "conv.rename": "a conversation has another name",
    "conv.archive": "a conversation was archived",
    "conv.unarchive": "an archived conversation was opened again",
    "conv.delete": "a conversation was deleted",
    "conv.restore": "a deleted conversation was brought back",
    "conv.visibility": "other people may read a conversation than before",
    "conv.change": "something else about a conversation changed",
    "app.install": "ATOM was installed or given access",
    "app.uninstall": "ATOM was removed or its access was taken back",
    "card.action": "somebody pressed a button",
    "other": "a platform told something that ATOM does nothing about",
    "conflict": "a platform sent another content under an event id it had used",
    # What ATOM did with it.
    "history.post": "what was said before a link was brought across",
    "bridge.link": "a link was made, changed or ended",
    "bridge.delivered": "a copy stands on the other platform",
    "bridge.edit_applied": "a copy was changed as its original was",
    "bridge.delete_applied": "a copy was deleted as its original was",
    "bridge.reactions_applied": "a copy shows the reactions to its original",
    "bridge.failed": "a delivery ended without a copy",
    "bridge.parked": "nobody knows how a delivery ended",
    "bridge.dropped": "a delivery was not needed any more",
    "bridge.late_root": "a thread's root was fetched for a reply",
    "bridge.notice": "somebody was told why something did not cross",
    "bridge.file_applied": "a copy of a file was dealt with",
    "bridge.file_blocked": "a file was not allowed to cross",
    "bridge.file_copied": "a copy of a file stands on the other platform",
    "bridge.file_failed": "a file could not be brought across",
    "bridge.file_ignored": "what looked like a file was none",
    "bridge.file_linked": "a file was linked to instead of copied",
    "bridge.file_refused": "a file was refused, such as for a virus",
    "bridge.file_removed": "a copy of a file was removed",
    "bridge.file_shown": "a copy says what became of its files",
    # Whose accounts are.
    "account.link": "an account is somebody's of the directory from now on, and why",
    "account.doubt": "it is not sure any more whose an account is",
    "account.refused": "an account looked like somebody's, and was not taken for it",
    "member.kept": "somebody was let into a linked channel, or taken out, by policy",
    "member.report": "people are in a linked channel against the policy",
    "member.chose": "somebody left a linked channel by their own choice",
    # What was decided and found on the way.
    "policy.decision": "something was allowed or denied on its own",
    "policy.publish": "a version of the policy was put into force",
    "dlp.finding": "a detector found something; never the value",
    "dlp.action": "something was redacted, held or stopped",
    "record.view": "a business record was shown to somebody",
    # What a company's directory told.
    "directory.change": "entries of the directory changed, or who is in what",
    "directory.frozen": "changes of the directory wait, for they are too many at once",
    "directory.decide": "somebody let such changes happen, or refused them",
    "directory.incomplete": "a source could not be read to its end; nobody was removed",
    # What admins and officers did.
    "admin.command": "somebody gave ATOM a command",
    "admin.config": "a setting or a right was changed",
    "admin.dead_letter": "an admin decided on a delivery that had ended",
    "admin.intent": "an admin is about to change a workspace",
    "admin.outcome": "how an admin's change of a workspace ended",
    "run.plan": "what becomes of a joiner, mover or leaver was worked out",
    "run.agree": "an admin let a run about somebody be done",
    "run.refuse": "an admin refused a run about somebody",
    "run.step": "a step of a run was done, or was not",
    "run.revert": "an admin had a run taken back",
    "run.end": "a run was done as far as it could be",
    "access.refused": "somebody without the duty asked for the record",
    "approval.ask": "an act asks for a second person",
    "approval.agree": "a second person agreed",
    "approval.refuse": "a second person refused",
    "approval.spend": "an approval was used up",
    "search.run": "somebody searched the record",
    "item.view": "somebody read an item of the record",
    "export.create": "an export was made",
    "export.download": "an export was handed over",
    "export.custody": "an export changed hands",
    "hold.create": "a legal hold began",
    "hold.scope": "a legal hold covers something else than before",
    "hold.release": "a legal hold ended",
    "retention.apply": "a retention policy was made or changed",
    "retention.dispose": "items came to the end of their time",
    "erasure.request": "somebody's erasure was asked for",
    "erasure.defer": "an erasure waits for a hold or a floor",
    "erasure.shred": "keys were destroyed, and with them content",
    "import.run": "an export of a platform was taken into the record",
    "subject.request": "somebody asked for what is theirs by law",
    "subject.extend": "a request gets more time, and why",
    "subject.access": "somebody was given what is kept about them",
    "subject.portability": "somebody was given their data to take elsewhere",
    "subject.restrict": "what is kept about somebody may not be used",
    "subject.unrestrict": "a restriction was taken back",
    "subject.notice": "a platform was told to erase a copy, and how it answered",
    "processing.record": "the records of processing were made",
    "assessment.open": "something called for an impact assessment",
    "assessment.close": "an impact assessment was done",
    "key.rotate": "a key was replaced",
    "key.destroy": "a key was destroyed",
    "log.restored": "the log goes on after a backup was restored; says what is gone",
    # What speaks for the record itself.
    "recon.attest": "the record was compared with a platform's history; signed",
    "gap.detected": "messages of a platform's history were not on record",
    "gap.filled": "what was missing is on record, and what cannot be is counted",
    "clock.step": "the host's clock jumped",
    "grid.audit": "an entry of Slack's organisation-wide audit log",
    "grid.hold": "a legal hold of Slack's organisation: as it is there, or about to be",
}

_BY_CHANGE: Mapping[str, str] = {
    Change.ARCHIVED: "conv.archive",
    Change.TEAM_ARCHIVED: "conv.archive",
    Change.UNARCHIVED: "conv.unarchive",
    Change.TEAM_UNARCHIVED: "conv.unarchive",
    Change.DELETED: "conv.delete",
    Change.TEAM_DELETED: "conv.delete",
    Change.RESTORED: "conv.restore",
    Change.TEAM_RESTORED: "conv.restore",
    Change.SHARED: "conv.visibility",
    Change.UNSHARED: "conv.visibility",
    Change.CREATED: "conv.create",
    Change.RENAMED: "conv.rename",
}


def entry_type(event: Event) -> str:
    """Return the type of the entry that captures an event."""
    if event.kind is not EventKind.CHANNEL_CHANGE:
        return event.kind
    return _BY_CHANGE.get(dict(event.detail).get(DETAIL, ""), event.kind)
