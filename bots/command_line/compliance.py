"""`atom compliance …`: the record, for those who have to answer for it."""

from bots.command_line.groups import group

compliance_app = group("Search, hold, keep, erase and export what is on record.")
