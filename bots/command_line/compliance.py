"""`atom compliance …`: the record, for those who have to answer for it."""

import typer

compliance_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Search, hold, keep, erase and export what is on record.",
)
