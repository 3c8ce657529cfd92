"""Keep what admins must hear of, the letters about it, and failures by the minute."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_connection_request_id"),
        ("messaging", "0028_idempotent_results"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("connection_broken", "Connection broken"),
                            ("cap_reached", "Daily cap reached"),
                            ("queue_old", "Queue stands still"),
                            ("failures_rising", "Failures rising"),
                            ("cap_near", "Daily cap near"),
                            ("needs_person", "Messages need a person"),
                        ],
                        max_length=20,
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=60)),
                ("text", models.CharField(max_length=600)),
                ("link", models.CharField(blank=True, max_length=200)),
                ("raised_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("cleared_at", models.DateTimeField(null=True)),
                ("emailed_at", models.DateTimeField(null=True)),
                ("dismissed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="AlertMail",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Being sent"),
                            ("sent", "Sent"),
                            ("unknown", "Perhaps sent"),
                            ("given_up", "Given up"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="FailureCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("cause", models.CharField(max_length=40)),
                ("minute", models.DateTimeField()),
                ("failed", models.PositiveIntegerField()),
                ("undelivered", models.PositiveIntegerField(default=0, verbose_name="of them undelivered")),
            ],
        ),
        migrations.CreateModel(
            name="MailRefusal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.AddField(
            model_name="alert",
            name="dismissed_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to="integrations.organization",
            ),
        ),
        migrations.AddField(
            model_name="alertmail",
            name="alerts",
            field=models.ManyToManyField(related_name="mails", to="messaging.alert"),
        ),
        migrations.AddField(
            model_name="alertmail",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="integrations.organization",
            ),
        ),
        migrations.AddField(
            model_name="alertmail",
            name="recipient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="failurecount",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="integrations.organization",
            ),
        ),
        migrations.AddField(
            model_name="mailrefusal",
            name="member",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="integrations.member"
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["organization", "-raised_at"], name="alert_newest_first"),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("cleared_at", None), ("emailed_at", None)),
                fields=["raised_at"],
                name="alert_to_be_mailed",
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("cleared_at", None)), fields=("organization", "kind", "key"), name="alert_open_once"
            ),
        ),
        migrations.AddIndex(
            model_name="alertmail",
            index=models.Index(
                condition=models.Q(("outcome__in", ["waiting", "sending"])),
                fields=["due_at"],
                name="alertmail_to_be_sent",
            ),
        ),
        migrations.AddIndex(
            model_name="alertmail",
            index=models.Index(fields=["organization", "-id"], name="alertmail_newest_first"),
        ),
        migrations.AddConstraint(
            model_name="failurecount",
            constraint=models.UniqueConstraint(
                fields=("minute", "organization", "cause"), name="failurecount_once_a_minute"
            ),
        ),
    ]
