"""Re-encrypt all stored secrets after a new key was put in front of CREDENTIAL_KEYS."""

from typing import Any

from integrations.connections.rekeying import rekey_everything
from integrations.encryption import SecretUnreadable
from integrations.management.json_command import CommandProblem, JsonCommand


class Command(JsonCommand):
    help = (
        "Encrypt every stored secret under the first key of CREDENTIAL_KEYS. Put the new key in front, restart, run "
        "this, then remove the old key. Gives how many values each place held."
    )

    def perform(self, **options: Any) -> dict[str, Any]:
        try:
            return {**rekey_everything()}
        except SecretUnreadable as error:
            detail = f"{error} Add the key it was saved under to CREDENTIAL_KEYS, then run this again."
            raise CommandProblem("secret_unreadable", detail) from error
