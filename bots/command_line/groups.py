"""Groups of commands, which all behave alike."""

import typer


def group(help_: str, name: str | None = None) -> typer.Typer:
    """Return a group that shows its help when nothing is asked of it."""
    return typer.Typer(
        name=name,
        help=help_,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
