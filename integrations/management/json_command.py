"""The base of commands that scripts call: one JSON object with `--json`, words for people without it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError


class CommandProblem(Exception):
    """A command could not do what it was asked: a stable `code` for scripts, a sentence in `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class JsonCommand(BaseCommand):
    """Run `perform()` and print what it returns; a problem ends with exit status 1 and `{code, detail}`.

    Subclasses add their options in `add_options` and implement `perform`; `describe` turns a result into words.
    """

    def add_options(self, parser: CommandParser) -> None:
        """Add the options of the command itself."""

    def perform(self, **options: Any) -> dict[str, Any]:
        """Do the work and return a JSON-ready object; raise CommandProblem where it cannot be done."""
        raise NotImplementedError

    def describe(self, result: dict[str, Any]) -> str:
        """Return the result in words for a terminal."""
        return "\n".join(f"{name}: {value}" for name, value in result.items())

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")
        self.add_options(parser)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # So that a wrong option raises instead of leaving with argparse's own words and status 2.
        parser.called_from_command_line = False  # type: ignore[attr-defined]
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as error:  # only parsing raises here; what happens later is answered by the base class
            detail = str(error).removeprefix("Error: ")
            if "--json" not in argv:
                self.stderr.write(f"{detail}\nSee: manage.py {argv[1]} --help")
                raise SystemExit(1) from error
            self._refuse(CommandProblem("bad_arguments", detail))

    def handle(self, **options: Any) -> None:
        wants_json = options.pop("json")
        try:
            result = self.perform(**options)
        except CommandProblem as problem:
            if not wants_json:
                raise CommandError(problem.detail) from problem
            self._refuse(problem)
        except OperationalError as error:
            detail = "The database does not answer: is the installation running?"
            if not wants_json:
                raise CommandError(detail) from error
            self._refuse(CommandProblem("database_unavailable", detail))
        else:
            self.stdout.write(json.dumps(result, default=str) if wants_json else self.describe(result))

    def _refuse(self, problem: CommandProblem) -> None:
        self.stdout.write(json.dumps({"code": problem.code, "detail": problem.detail}))
        raise SystemExit(1)
