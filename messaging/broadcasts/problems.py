"""Why something cannot be done with a broadcast: a code that stays, and a sentence with the next step."""


class BroadcastProblem(Exception):
    """Nothing was changed. `field` names the input at fault where there is one."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail, self.field = code, detail, field
