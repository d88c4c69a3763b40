"""The bar that command-line work of more than two seconds shows, on stderr."""

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bots.command_line.output import console


def progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    shown = console(stderr=True)
    # Where nobody looks, it would leave an empty line before what follows.
    off = not shown.is_terminal
    return Progress(*columns, console=shown, transient=True, disable=off)
