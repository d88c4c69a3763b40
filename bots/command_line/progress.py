"""The bar that command-line work of more than two seconds shows, on stderr."""

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bots.command_line.output import console


def progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console(stderr=True), transient=True)
