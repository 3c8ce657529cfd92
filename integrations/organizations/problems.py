"""What a verb of this room refuses, and why."""


class OrganizationProblem(Exception):
    """A change that cannot be made: a stable `code`, a sentence for people, and the form field it is about (or "")."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field
