"""Make a row of a broadcast a message once, whatever happens, and count a broadcast's messages by status."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

_WITH_BROADCAST = models.Q(broadcast__isnull=False)


class Migration(migrations.Migration):
    atomic = False  # indexes of a big table are built beside its use

    dependencies = [
        ("messaging", "0015_message_of_a_broadcast"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=_WITH_BROADCAST, fields=["broadcast", "status", "due_at"], name="message_of_broadcast"
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name="message",
                    constraint=models.UniqueConstraint(
                        condition=_WITH_BROADCAST,
                        fields=("broadcast", "broadcast_row"),
                        name="message_once_per_broadcast_row",
                    ),
                ),
            ],
            database_operations=[
                # Django has no constraint that is built concurrently; a unique one with a condition is an index.
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS message_once_per_broadcast_row "
                    "ON messaging_message (broadcast_id, broadcast_row) WHERE broadcast_id IS NOT NULL",
                    "DROP INDEX CONCURRENTLY IF EXISTS message_once_per_broadcast_row",
                ),
            ],
        ),
    ]
