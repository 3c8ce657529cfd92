import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0001_tables"),
        ("integrations", "__first__"),
        ("messaging", "0008_turns_on_a_carrier"),
        ("portal", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PortalDevice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("label", models.CharField(blank=True, max_length=80)),
                ("first_seen", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("last_seen", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "device of a portal user",
                "verbose_name_plural": "devices of portal users",
            },
        ),
        migrations.AddField(
            model_name="publicform",
            name="serves",
            field=models.CharField(
                choices=[("public", "The public"), ("portal", "A portal")],
                default="public",
                editable=False,
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="Portal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("slug", models.SlugField(unique=True, verbose_name="address")),
                (
                    "domain",
                    models.CharField(blank=True, max_length=253, null=True, unique=True, verbose_name="own domain"),
                ),
                ("domain_seen_at", models.DateTimeField(editable=False, null=True, verbose_name="own domain seen at")),
                ("is_on", models.BooleanField(default=False, verbose_name="switched on")),
                (
                    "admission",
                    models.CharField(
                        choices=[
                            ("open", "Everybody may register"),
                            ("approval", "Everybody may register, and you approve"),
                            ("invitation", "By invitation only"),
                        ],
                        default="approval",
                        max_length=12,
                        verbose_name="who may come",
                    ),
                ),
                ("may_apply_again", models.BooleanField(default=False, verbose_name="rejected people may apply again")),
                (
                    "session_days",
                    models.PositiveSmallIntegerField(default=30, verbose_name="days until one logs in again"),
                ),
                (
                    "invitation_days",
                    models.PositiveSmallIntegerField(default=14, verbose_name="days an invitation holds"),
                ),
                (
                    "reminder_days",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="days until a reminder"),
                ),
                (
                    "offers_password",
                    models.BooleanField(default=False, verbose_name="offers a password beside the code"),
                ),
                ("offers_passkeys", models.BooleanField(default=True, verbose_name="offers passkeys")),
                (
                    "tells_new_logins",
                    models.BooleanField(default=True, verbose_name="tells people of logins from new devices"),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "form",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="portal",
                        to="portal.publicform",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="portals",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("invitation_days__range", (1, 90)), ("session_days__range", (1, 365))),
                        name="portal_lasts_days",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PortalInvitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("hand", "By hand"),
                            ("contacts", "From contacts"),
                            ("file", "From a file"),
                            ("api", "API"),
                            ("automation", "Automation"),
                        ],
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                ("remind_at", models.DateTimeField(null=True)),
                ("reminded_at", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "portal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="portal.portal",
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation to a portal",
                "verbose_name_plural": "invitations to portals",
                "indexes": [
                    models.Index(fields=["portal", "-id"], name="portal_invitation_newest"),
                    models.Index(
                        condition=models.Q(
                            ("remind_at__isnull", False), ("reminded_at", None), ("revoked_at", None), ("used_at", None)
                        ),
                        fields=["remind_at"],
                        name="portal_invitation_to_remind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PortalInvitationBatch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("hand", "By hand"),
                            ("contacts", "From contacts"),
                            ("file", "From a file"),
                            ("api", "API"),
                            ("automation", "Automation"),
                        ],
                        max_length=10,
                    ),
                ),
                ("what", models.JSONField(default=dict)),
                ("label", models.CharField(blank=True, max_length=200)),
                ("language", models.CharField(blank=True, max_length=12)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Columns to choose"),
                            ("checking", "Being checked"),
                            ("checked", "Checked"),
                            ("sending", "Being sent"),
                            ("done", "Done"),
                        ],
                        default="draft",
                        max_length=8,
                    ),
                ),
                ("invited", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.job",
                    ),
                ),
                (
                    "portal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="batches",
                        to="portal.portal",
                    ),
                ),
            ],
            options={
                "verbose_name": "many invitations to a portal",
                "verbose_name_plural": "many invitations to portals",
                "indexes": [
                    models.Index(fields=["portal", "-id"], name="portal_batch_newest"),
                    models.Index(fields=["created_at"], name="portal_batch_by_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PortalRole",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=40)),
                ("is_default", models.BooleanField(default=False, verbose_name="whoever registers gets it")),
                (
                    "portal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="roles", to="portal.portal"
                    ),
                ),
            ],
            options={
                "verbose_name": "role of a portal",
                "verbose_name_plural": "roles of portals",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("portal"), django.db.models.functions.text.Lower("name"), name="portal_role_named_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)), fields=("portal",), name="portal_role_default"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PortalNotification",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[("all", "Everybody"), ("role", "A role"), ("one", "One person")], max_length=8
                    ),
                ),
                ("text", models.TextField()),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("hand", "By hand"),
                            ("contacts", "From contacts"),
                            ("file", "From a file"),
                            ("api", "API"),
                            ("automation", "Automation"),
                        ],
                        default="hand",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.job",
                    ),
                ),
                (
                    "portal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="portal.portal",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="portal.portalrole",
                    ),
                ),
            ],
            options={
                "verbose_name": "notification of a portal",
                "verbose_name_plural": "notifications of portals",
                "indexes": [models.Index(fields=["portal", "-id"], name="portal_notification_newest")],
            },
        ),
        migrations.CreateModel(
            name="PortalInvitationRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("row", models.PositiveIntegerField()),
                ("typed", models.CharField(blank=True, max_length=80)),
                ("phone", models.CharField(blank=True, max_length=16)),
                ("name", models.CharField(blank=True, max_length=120)),
                ("language", models.CharField(blank=True, max_length=12)),
                ("problem_code", models.CharField(blank=True, max_length=40)),
                ("problem", models.CharField(blank=True, max_length=300)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="portal.portalinvitationbatch",
                    ),
                ),
                (
                    "invitation",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="portal.portalinvitation",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="portal.portalrole",
                    ),
                ),
            ],
            options={
                "verbose_name": "row of many invitations",
                "verbose_name_plural": "rows of many invitations",
                "indexes": [
                    models.Index(
                        condition=models.Q(("phone", ""), _negated=True),
                        fields=["phone"],
                        name="portal_batch_by_number",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "row"), name="portal_batch_row_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("problem_code", ""), models.Q(("phone", ""), _negated=True)),
                        fields=("batch", "phone"),
                        name="portal_batch_number_once",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="portalinvitationbatch",
            name="role",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="portal.portalrole",
            ),
        ),
        migrations.CreateModel(
            name="PortalTerms",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("texts", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "portal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="all_terms", to="portal.portal"
                    ),
                ),
            ],
            options={
                "verbose_name": "terms of a portal",
                "verbose_name_plural": "terms of portals",
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("portal", "number"), name="portal_terms_numbered_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="portal",
            name="terms",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="portal.portalterms",
            ),
        ),
        migrations.CreateModel(
            name="PortalText",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("invitation", "Invitation"),
                            ("reminder", "Reminder of an invitation"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("notification", "Notification"),
                            ("new_login", "Login from a new device"),
                        ],
                        max_length=12,
                    ),
                ),
                ("language", models.CharField(max_length=12)),
                ("body", models.TextField()),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "portal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="texts", to="portal.portal"
                    ),
                ),
            ],
            options={
                "verbose_name": "text of a portal",
                "verbose_name_plural": "texts of portals",
                "constraints": [
                    models.UniqueConstraint(fields=("portal", "kind", "language"), name="portal_text_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="PortalUser",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=16)),
                ("region", models.CharField(blank=True, max_length=3, verbose_name="country")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("invited", "Invited"),
                            ("waiting", "Waiting for approval"),
                            ("active", "Active"),
                            ("rejected", "Rejected"),
                            ("suspended", "Suspended"),
                            ("left", "Left"),
                        ],
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=120)),
                ("language", models.CharField(blank=True, max_length=12)),
                ("terms_at", models.DateTimeField(null=True, verbose_name="terms accepted at")),
                ("password", models.CharField(blank=True, editable=False, max_length=200)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("password_lapses_at", models.DateTimeField(null=True)),
                ("registered_at", models.DateTimeField(null=True)),
                ("number_since", models.DateTimeField(null=True)),
                ("last_login_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="portal_users",
                        to="messaging.contact",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "portal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="users",
                        to="portal.portal",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="users",
                        to="portal.portalrole",
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="portal_users",
                        to="portal.submission",
                    ),
                ),
                (
                    "terms",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="portal.portalterms",
                    ),
                ),
            ],
            options={
                "verbose_name": "portal user",
                "indexes": [
                    models.Index(fields=["portal", "-id"], name="portal_user_newest_first"),
                    models.Index(fields=["portal", "status", "-id"], name="portal_user_by_status"),
                    models.Index(
                        condition=models.Q(("phone", ""), _negated=True), fields=["phone"], name="portal_user_by_number"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("phone", ""), _negated=True),
                        fields=("portal", "phone"),
                        name="portal_user_once_per_number",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PortalSession",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("network", models.CharField(blank=True, max_length=60)),
                ("begun_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "device",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="sessions",
                        to="portal.portaldevice",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sessions", to="portal.portaluser"
                    ),
                ),
            ],
            options={
                "verbose_name": "session of a portal user",
                "verbose_name_plural": "sessions of portal users",
                "indexes": [models.Index(fields=["expires_at"], name="portal_session_by_end")],
            },
        ),
        migrations.CreateModel(
            name="PortalSending",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("invitation", "Invitation"),
                            ("reminder", "Reminder of an invitation"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("notification", "Notification"),
                            ("new_login", "Login from a new device"),
                        ],
                        max_length=12,
                    ),
                ),
                ("problem_code", models.CharField(blank=True, max_length=40)),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "message",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.message",
                    ),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sendings",
                        to="portal.portalnotification",
                    ),
                ),
                (
                    "portal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sendings",
                        to="portal.portal",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sendings", to="portal.portaluser"
                    ),
                ),
            ],
            options={
                "verbose_name": "SMS of a portal",
                "verbose_name_plural": "SMS of portals",
                "indexes": [models.Index(fields=["portal", "-id"], name="portal_sending_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("notification__isnull", False)),
                        fields=("notification", "user"),
                        name="portal_notification_once_each",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PortalPasskey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("credential_id", models.CharField(max_length=1400, unique=True)),
                ("credential", models.BinaryField()),
                ("sign_count", models.BigIntegerField(default=0)),
                ("label", models.CharField(blank=True, max_length=80)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("last_used_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="passkeys", to="portal.portaluser"
                    ),
                ),
            ],
            options={
                "verbose_name": "passkey of a portal user",
                "verbose_name_plural": "passkeys of portal users",
            },
        ),
        migrations.AddField(
            model_name="portalnotification",
            name="user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="portal.portaluser"
            ),
        ),
        migrations.CreateModel(
            name="PortalLogin",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "how",
                    models.CharField(
                        choices=[("code", "Code"), ("password", "Code and password"), ("passkey", "Passkey")],
                        max_length=10,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("registered", "Registered"),
                            ("in", "Logged in"),
                            ("wrong_password", "Wrong password"),
                            ("turned_away", "Turned away"),
                        ],
                        max_length=16,
                    ),
                ),
                ("region", models.CharField(blank=True, max_length=3, verbose_name="country")),
                ("device", models.CharField(blank=True, max_length=80)),
                ("is_new_device", models.BooleanField(default=False)),
                ("network", models.CharField(blank=True, max_length=60)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "portal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="logins",
                        to="portal.portal",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="logins",
                        to="portal.portaluser",
                    ),
                ),
            ],
            options={
                "verbose_name": "login to a portal",
                "verbose_name_plural": "logins to portals",
                "indexes": [models.Index(fields=["portal", "at"], name="portal_login_by_day")],
            },
        ),
        migrations.AddField(
            model_name="portalinvitation",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="portal.portaluser"
            ),
        ),
        migrations.CreateModel(
            name="PortalHandover",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                (
                    "form",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="portal.publicform",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="handovers", to="portal.portaluser"
                    ),
                ),
            ],
            options={
                "verbose_name": "way from a portal into a form",
                "verbose_name_plural": "ways from portals into forms",
                "indexes": [models.Index(fields=["expires_at"], name="portal_handover_by_end")],
            },
        ),
        migrations.AddField(
            model_name="portaldevice",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="devices", to="portal.portaluser"
            ),
        ),
        migrations.CreateModel(
            name="PortalVisit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("secret_hash", models.CharField(max_length=64, unique=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[("enter", "Register or log in"), ("number", "Change the number")],
                        default="enter",
                        max_length=8,
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=16)),
                ("verification_id", models.UUIDField(null=True)),
                ("proved_at", models.DateTimeField(null=True)),
                ("old_verification_id", models.UUIDField(null=True)),
                ("old_proved_at", models.DateTimeField(null=True)),
                ("password_tries", models.PositiveSmallIntegerField(default=0)),
                ("used_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                (
                    "invitation",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="portal.portalinvitation",
                    ),
                ),
                (
                    "portal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visits",
                        to="portal.portal",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visits",
                        to="portal.portaluser",
                    ),
                ),
            ],
            options={
                "verbose_name": "visit of a portal",
                "verbose_name_plural": "visits of portals",
                "indexes": [models.Index(fields=["expires_at"], name="portal_visit_by_end")],
            },
        ),
        migrations.CreateModel(
            name="PortalOffer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="offers", to="portal.publicform"
                    ),
                ),
                (
                    "portal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offers",
                        to="portal.portal",
                    ),
                ),
            ],
            options={
                "verbose_name": "form that a portal offers",
                "verbose_name_plural": "forms that portals offer",
                "constraints": [models.UniqueConstraint(fields=("portal", "form"), name="portal_offers_form_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="portalinvitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at", None), ("used_at", None)),
                fields=("user",),
                name="portal_invitation_open_once",
            ),
        ),
    ]
