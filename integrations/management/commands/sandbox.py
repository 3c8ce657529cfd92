"""`manage.py sandbox`: run the simulated Twilio."""

import logging
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.sandbox.server.app import run


class Command(BaseCommand):
    """Serve the simulated Twilio until SIGTERM or Ctrl-C."""

    help = "Runs the simulated Twilio, a process of its own. It keeps everything in memory."
    requires_system_checks = ()  # it uses nothing of Django but two settings

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add where to listen and how much to say."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9009, help="0: any free one")
        parser.add_argument("--log-level", default="WARNING")
        parser.add_argument("--max-messages", type=int, default=200_000, help="stored messages per account")

    def handle(self, *args: object, **options: object) -> None:
        """Serve."""
        if not settings.SANDBOX_SECRET:
            raise CommandError("SANDBOX_SECRET is not set: the sandbox and the installation need the same secret.")
        logging.getLogger("integrations.sandbox").setLevel(str(options["log_level"]).upper())
        host, port = str(options["host"]), int(str(options["port"]))
        try:
            run(settings.SANDBOX_SECRET, host=host, port=port, max_messages=int(str(options["max_messages"])))
        except OSError as error:
            raise CommandError(f"The sandbox cannot listen on {host}:{port}: {error.strerror}") from error
