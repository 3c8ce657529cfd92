"""Conversations of the inbox, and replies kept ready."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_connection_request_id"),
        ("messaging", "0016_once_per_broadcast_row"),
    ]

    operations = [
        migrations.CreateModel(
            name="CannedReply",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("body", models.TextField(max_length=1600)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="canned_replies",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "canned replies",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "name"), name="canned_reply_name_once_per_organization"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Conversation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("channel", models.CharField(default="sms", max_length=12)),
                ("phone", models.CharField(max_length=16)),
                ("sender", models.CharField(blank=True, max_length=34, verbose_name="number of ours")),
                (
                    "state",
                    models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=8),
                ),
                ("unread", models.PositiveIntegerField(default=0)),
                (
                    "is_unread",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.ExpressionWrapper(
                            models.Q(("unread__gt", 0)), output_field=models.BooleanField()
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                ("last_text", models.CharField(blank=True, max_length=200)),
                ("last_is_inbound", models.BooleanField(default=True)),
                ("last_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_inbound_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("minute_began_at", models.DateTimeField(null=True)),
                ("minute_count", models.PositiveIntegerField(default=0)),
                ("flooded_at", models.DateTimeField(null=True)),
                ("muted_at", models.DateTimeField(null=True)),
                ("auto_replied_at", models.DateTimeField(null=True)),
                (
                    "assignee",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="conversations",
                        to="integrations.member",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.connection",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="conversations",
                        to="messaging.contact",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization", "state", "-is_unread", "-last_at", "-id"], name="conversation_list"
                    ),
                    models.Index(
                        fields=["organization", "assignee", "state", "-is_unread", "-last_at", "-id"],
                        name="conversation_list_of_member",
                    ),
                    models.Index(
                        condition=models.Q(("flooded_at__isnull", False)),
                        fields=["organization", "-flooded_at"],
                        name="conversation_flooded",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "channel", "phone"), name="conversation_once_per_writer"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "closed"])), name="conversation_state_known"
                    ),
                ],
            },
        ),
    ]
