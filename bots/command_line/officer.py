"""Who acts on the record at the command line of ATOM's host."""

import os
import pwd

from bridge.compliance import Officer


def cli_officer() -> Officer:
    """
    Return the officer `cli:LOGIN`.

    The login is that of the process, as the system knows it. What the environment
    says of it, anybody could set.
    """
    number = os.getuid()
    try:
        login = pwd.getpwuid(number).pw_name
    except KeyError:  # a container's user often has no name
        login = f"uid-{number}"
    return Officer(f"cli:{login}")
