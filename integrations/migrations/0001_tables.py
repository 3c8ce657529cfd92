from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import integrations.connections.models
import integrations.encryption
import integrations.identifiers

from ._database import OPERATIONS


class Migration(migrations.Migration):
    # What stood before the first release was this, step by step: installations that took all steps go on from here.
    replaces = [
        ("integrations", "0001_initial"),
        ("integrations", "0002_append_only_audit"),
        ("integrations", "0003_cache_table"),
        ("integrations", "0004_connection_credentials_version"),
        ("integrations", "0005_connection_request_id"),
        ("integrations", "0006_credits"),
        ("integrations", "0007_append_only_credits"),
        ("integrations", "0008_reply_addresses"),
        ("integrations", "0009_erase_from_audit"),
        ("integrations", "0010_index_audit_of_object"),
        ("integrations", "0011_platform_sms"),
    ]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditAccount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("balance", models.DecimalField(decimal_places=4, default=Decimal("0"), max_digits=14)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("balance__gte", 0)), name="credits_never_below_zero")
                ],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("slug", models.SlugField(help_text="The organization's part of each address.", unique=True)),
                (
                    "default_region",
                    models.CharField(
                        default="US",
                        help_text="Numbers written without + are read as numbers of this country.",
                        max_length=2,
                    ),
                ),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("language", models.CharField(default="en", max_length=12)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("suspended", "Suspended")],
                        default="active",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("suspended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("suspended_reason", models.CharField(blank=True, editable=False, max_length=300)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail")),
                ("name", models.CharField(blank=True, max_length=150)),
                ("is_active", models.BooleanField(default=True, verbose_name="may sign in")),
                (
                    "is_operator",
                    models.BooleanField(
                        default=False,
                        help_text="Installation staff: creates and suspends organizations.",
                        verbose_name="operator",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="joined"),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"), name="user_email_once_in_any_case"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("top_up", "Topped up"),
                            ("reserve", "Reserved for a message"),
                            ("settle", "Message sent"),
                            ("refund", "Given back"),
                            ("adjust", "Adjusted by the operator"),
                        ],
                        max_length=8,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=4, max_digits=14)),
                ("balance_after", models.DecimalField(decimal_places=4, max_digits=14)),
                ("message_id", models.UUIDField(null=True)),
                ("request_id", models.UUIDField(null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("actor_label", models.CharField(blank=True, max_length=200, verbose_name="who")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="integrations.creditaccount",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "credit entries",
                "indexes": [models.Index(fields=["account", "-id"], name="credits_newest_first")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "reserve")), fields=("message_id",), name="credits_reserved_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind__in", ["settle", "refund"])),
                        fields=("message_id",),
                        name="credits_closed_once",
                    ),
                    models.UniqueConstraint(fields=("account", "request_id"), name="credits_once_per_request"),
                    models.CheckConstraint(
                        condition=models.Q(("balance_after__gte", 0)), name="credits_entry_never_below_zero"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount__gt", 0), ("kind__in", ["top_up", "refund"])),
                            models.Q(("amount__lt", 0), ("kind", "reserve")),
                            models.Q(("amount", 0), ("kind", "settle")),
                            models.Q(("kind", "adjust"), models.Q(("amount", 0), _negated=True)),
                            _connector="OR",
                        ),
                        name="credits_amount_fits_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ["reserve", "settle", "refund"]), ("message_id__isnull", False)),
                            models.Q(("kind__in", ["top_up", "adjust"]), ("message_id", None)),
                            _connector="OR",
                        ),
                        name="credits_message_where_one_is_meant",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("admin", "Admin"), ("agent", "Agent"), ("viewer", "Viewer")],
                        default="agent",
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "user"), name="member_once_per_organization"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "admin", "agent", "viewer"])),
                        name="member_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("admin", "Admin"), ("agent", "Agent"), ("viewer", "Viewer")],
                        default="agent",
                        max_length=12,
                    ),
                ),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("expires_at", models.DateTimeField(editable=False)),
                ("accepted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "invited_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"),
                        models.F("organization"),
                        condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                        name="invitation_open_once_per_address",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="creditaccount",
            name="organization",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credit_account",
                to="integrations.organization",
            ),
        ),
        migrations.CreateModel(
            name="Connection",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("live", "Live"),
                            ("sandbox", "Sandbox"),
                            ("test", "Test credentials"),
                            ("webhook", "Webhook of the operator"),
                        ],
                        default="live",
                        editable=False,
                        max_length=8,
                    ),
                ),
                (
                    "auth",
                    models.CharField(
                        choices=[("api_key", "API Key"), ("auth_token", "Account SID and Auth Token")],
                        default="api_key",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("account_sid", models.CharField(blank=True, max_length=34, verbose_name="Account SID")),
                ("api_key_sid", models.CharField(blank=True, max_length=34, verbose_name="API Key SID")),
                ("api_key_secret", integrations.encryption.SecretField(blank=True, verbose_name="API Key Secret")),
                ("auth_token", integrations.encryption.SecretField(blank=True, verbose_name="Auth Token")),
                (
                    "signing_token",
                    integrations.encryption.SecretField(blank=True, verbose_name="Auth Token for webhooks"),
                ),
                (
                    "signing_token_secondary",
                    integrations.encryption.SecretField(blank=True, verbose_name="secondary Auth Token for webhooks"),
                ),
                (
                    "messaging_service_sid",
                    models.CharField(blank=True, max_length=34, verbose_name="Messaging Service SID"),
                ),
                ("verify_service_sid", models.CharField(blank=True, max_length=34, verbose_name="Verify Service SID")),
                ("sender", models.CharField(blank=True, max_length=20, verbose_name="From")),
                (
                    "webhook_url",
                    models.CharField(
                        blank=True, db_default="", default="", editable=False, max_length=500, verbose_name="webhook"
                    ),
                ),
                ("is_default", models.BooleanField(default=False, verbose_name="default")),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Connected"), ("broken", "Broken"), ("disconnected", "Disconnected")],
                        default="active",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("broken_code", models.IntegerField(blank=True, editable=False, null=True)),
                ("broken_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "mps",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Empty: no limit of ours.",
                        max_digits=7,
                        null=True,
                        verbose_name="messages per second",
                    ),
                ),
                (
                    "hook_key",
                    models.CharField(
                        default=integrations.connections.models.new_hook_key, editable=False, max_length=40, unique=True
                    ),
                ),
                (
                    "hook_secret",
                    integrations.encryption.SecretField(blank=True, verbose_name="key of our own webhook signatures"),
                ),
                ("credentials_version", models.PositiveIntegerField(default=1, editable=False)),
                ("request_id", models.UUIDField(editable=False, null=True)),
                ("account_name", models.CharField(blank=True, editable=False, max_length=120)),
                ("account_type", models.CharField(blank=True, editable=False, max_length=20)),
                ("check_report", models.JSONField(blank=True, default=list, editable=False)),
                ("checked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("disconnected_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="connections",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["-is_default", "created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("organization",),
                        name="connection_one_default",
                    ),
                    models.UniqueConstraint(fields=("organization", "request_id"), name="connection_once_per_request"),
                    models.CheckConstraint(
                        condition=models.Q(("is_default", True), ("status", "disconnected"), _negated=True),
                        name="connection_default_is_connected",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_default", True), ("mode", "webhook"), _negated=True),
                        name="connection_default_is_no_webhook",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("actor_id", models.UUIDField(editable=False, null=True)),
                ("actor_label", models.CharField(editable=False, max_length=200, verbose_name="who")),
                ("action", models.CharField(editable=False, max_length=60)),
                ("object_kind", models.CharField(blank=True, editable=False, max_length=60, verbose_name="what")),
                ("object_id", models.CharField(blank=True, editable=False, max_length=40)),
                ("object_label", models.CharField(blank=True, editable=False, max_length=200, verbose_name="which")),
                ("changes", models.JSONField(default=dict, editable=False)),
                ("ip", models.CharField(blank=True, editable=False, max_length=60, verbose_name="network")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="when")),
                (
                    "organization",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audit_entries",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="audit_newest_first"),
                    models.Index(
                        condition=models.Q(("object_id", ""), _negated=True),
                        fields=["object_id"],
                        name="audit_of_object",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("prefix", models.CharField(editable=False, max_length=12)),
                ("key_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("scopes", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
            },
        ),
        migrations.CreateModel(
            name="PlatformDestination",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "destination",
                    models.CharField(
                        choices=[("domestic", "Mainland China"), ("international", "Codes to the rest of the world")],
                        max_length=16,
                        unique=True,
                    ),
                ),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=4,
                        help_text="Empty: the price of the settings.",
                        max_digits=10,
                        null=True,
                        verbose_name="credits a message",
                    ),
                ),
                (
                    "carrier",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="carries",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("price", None), ("price__gte", 0), _connector="OR"),
                        name="platform_price_fits",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PlatformPolicy",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("signature", models.CharField(blank=True, max_length=20)),
                ("warn_below", models.DecimalField(decimal_places=4, default=Decimal("50"), max_digits=14)),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="integrations.organization"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "platform policies",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("warn_below__gte", 0)), name="platform_warning_fits")
                ],
            },
        ),
        migrations.CreateModel(
            name="RefusedWebhook",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("path", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=40)),
                ("detail", models.CharField(max_length=400)),
                ("ip", models.CharField(blank=True, max_length=60, verbose_name="network")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refused_webhooks",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["connection", "-id"], name="refused_newest_first")],
            },
        ),
        migrations.CreateModel(
            name="ReplyAddress",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(choices=[("service", "Messaging Service"), ("number", "Number")], max_length=8),
                ),
                ("sid", models.CharField(max_length=34, verbose_name="SID")),
                ("label", models.CharField(blank=True, max_length=120)),
                ("former_url", models.CharField(blank=True, max_length=2000)),
                ("former_method", models.CharField(blank=True, max_length=6)),
                ("former_application", models.CharField(blank=True, max_length=34, verbose_name="former TwiML App")),
                ("set_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("put_back_at", models.DateTimeField(blank=True, null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reply_addresses",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "reply addresses",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("put_back_at", None)),
                        fields=("connection", "sid"),
                        name="reply_address_once_per_place",
                    )
                ],
            },
        ),
    ]
    operations += OPERATIONS
