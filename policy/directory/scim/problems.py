"""What is wrong with a SCIM request, as RFC 7644 section 3.12 tells clients."""

from bridge.directory.scim_server import ScimAnswer, refused
from bridge.errors import AtomError


class Problem(AtomError):
    """
    A request that is not done, by an HTTP status and one of the RFC's `scimType`s.

    The text is one line for the person who set up provisioning; it names attributes
    and never repeats their values. `retry_after` are seconds, if trying later helps.
    """

    def __init__(
        self, status: int, detail: str, scim_type: str = "", retry_after: int = 0
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.scim_type = scim_type
        self.retry_after = retry_after

    def answer(self) -> ScimAnswer:
        """Return the error message as it is sent."""
        return refused(self.status, str(self), self.scim_type, self.retry_after)


def invalid_filter(detail: str) -> Problem:
    return Problem(400, detail, "invalidFilter")


def invalid_path(detail: str) -> Problem:
    return Problem(400, detail, "invalidPath")


def invalid_syntax(detail: str) -> Problem:
    return Problem(400, detail, "invalidSyntax")


def invalid_value(detail: str) -> Problem:
    return Problem(400, detail, "invalidValue")


def mutability(detail: str) -> Problem:
    return Problem(400, detail, "mutability")


def no_target(detail: str) -> Problem:
    return Problem(400, detail, "noTarget")


def unknown(detail: str) -> Problem:
    return Problem(404, detail)


def taken(detail: str) -> Problem:
    return Problem(409, detail, "uniqueness")


def stale() -> Problem:
    return Problem(412, "the resource has changed since: read it again, then repeat")
