import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import integrations.identifiers
import portal.forms.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("integrations", "0001_tables"),
        ("integrations", "__first__"),
        ("messaging", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "version of a form",
                "verbose_name_plural": "versions of forms",
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            name="PublicForm",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "token",
                    models.CharField(default=portal.forms.models.new_token, editable=False, max_length=24, unique=True),
                ),
                ("title", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True, max_length=2000)),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("open", "Open"), ("closed", "Closed")],
                        default="draft",
                        max_length=8,
                    ),
                ),
                ("definition", models.JSONField(default=list, editable=False)),
                ("step", models.PositiveIntegerField(default=1, editable=False)),
                ("next_key", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "languages",
                    models.JSONField(
                        default=list, help_text="Codes of the languages it is shown in, the usual one first."
                    ),
                ),
                ("color", models.CharField(default="#1f66b5", max_length=7)),
                ("thank_you", models.TextField(blank=True, max_length=1000, verbose_name="thank-you text")),
                ("redirect_url", models.CharField(blank=True, max_length=500, verbose_name="address to go on to")),
                ("opens_at", models.DateTimeField(blank=True, null=True)),
                ("closes_at", models.DateTimeField(blank=True, null=True)),
                ("limit_total", models.PositiveIntegerField(blank=True, null=True, verbose_name="submissions in all")),
                (
                    "limit_per_number",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="submissions of one number"),
                ),
                ("password", models.CharField(blank=True, editable=False, max_length=200)),
                ("closed_message", models.TextField(blank=True, max_length=1000, verbose_name="text of a closed form")),
                ("embed_origins", models.JSONField(default=list, verbose_name="pages that may embed it")),
                ("updates_contact", models.BooleanField(default=True, verbose_name="keeps who sent it as a contact")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "confirmation_template",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.template",
                    ),
                ),
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
                    "current",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portal.formversion",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="public_forms",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "public form",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["organization", "-id"], name="form_newest_first")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state", "draft"), ("current__isnull", False), _connector="OR"),
                        name="form_open_with_version",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("color__regex", "^#[0-9a-f]{6}$")), name="form_color_is_hex"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("opens_at", None),
                            ("closes_at", None),
                            ("opens_at__lt", models.F("closes_at")),
                            _connector="OR",
                        ),
                        name="form_opens_before_it_closes",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="formversion",
            name="form",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="portal.publicform"
            ),
        ),
        migrations.CreateModel(
            name="FormStep",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                ("what", models.CharField(blank=True, max_length=120)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="portal.publicform"
                    ),
                ),
            ],
            options={
                "verbose_name": "step of building a form",
                "verbose_name_plural": "steps of building forms",
                "constraints": [models.UniqueConstraint(fields=("form", "number"), name="form_step_numbered_once")],
            },
        ),
        migrations.CreateModel(
            name="FormPicture",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("place", models.CharField(choices=[("logo", "Logo"), ("cover", "Cover")], max_length=8)),
                ("content", models.BinaryField()),
                ("content_type", models.CharField(max_length=20)),
                ("size", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pictures", to="portal.publicform"
                    ),
                ),
            ],
            options={
                "verbose_name": "picture of a form",
                "verbose_name_plural": "pictures of forms",
                "constraints": [
                    models.UniqueConstraint(fields=("form", "place"), name="form_picture_once_per_place"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("content_type__in", ["image/png", "image/jpeg", "image/gif", "image/webp"])
                        ),
                        name="form_picture_type_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("answers", models.JSONField(default=dict)),
                ("search_text", models.TextField(blank=True, default="")),
                ("phone", models.CharField(blank=True, max_length=16)),
                ("verified_at", models.DateTimeField(null=True)),
                ("verified_by", models.CharField(blank=True, max_length=12, verbose_name="verified by")),
                ("verification_id", models.UUIDField(null=True)),
                ("confirmation_problem", models.CharField(blank=True, max_length=300)),
                ("language", models.CharField(blank=True, max_length=12)),
                ("network", models.CharField(blank=True, max_length=50)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now
                    ),
                ),
                (
                    "confirmation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.message",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="submissions",
                        to="messaging.contact",
                    ),
                ),
                (
                    "form",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="portal.publicform",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="portal.formversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["form", "-id"], name="submission_newest_first"),
                    models.Index(
                        condition=models.Q(("phone", ""), _negated=True),
                        fields=["form", "phone"],
                        name="submission_by_number",
                    ),
                    models.Index(fields=["version"], name="submission_by_version"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("verification_id",), name="submission_proof_used_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("verified_at", None),
                            models.Q(("verification_id__isnull", False), models.Q(("phone", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="submission_verified_by_a_proof",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FormDraft",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("answers", models.JSONField(default=dict)),
                ("phone", models.CharField(blank=True, max_length=16)),
                ("verification_id", models.UUIDField(null=True)),
                ("secret_hash", models.CharField(max_length=64, unique=True)),
                ("language", models.CharField(blank=True, max_length=12)),
                ("network", models.CharField(blank=True, max_length=50)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="portal.formversion",
                    ),
                ),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drafts", to="portal.publicform"
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="portal.submission"
                    ),
                ),
            ],
            options={
                "verbose_name": "begun submission",
                "indexes": [
                    models.Index(fields=["expires_at"], name="form_draft_by_end"),
                    models.Index(
                        condition=models.Q(("phone", ""), _negated=True), fields=["phone"], name="form_draft_by_number"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubmissionExport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("wanted", models.JSONField(default=dict)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="exports", to="portal.publicform"
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
            ],
            options={
                "verbose_name": "export of submissions",
                "verbose_name_plural": "exports of submissions",
                "indexes": [models.Index(fields=["created_at"], name="submission_export_by_age")],
            },
        ),
        migrations.CreateModel(
            name="ExportPiece",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pieces", to="portal.submissionexport"
                    ),
                ),
            ],
            options={
                "verbose_name": "piece of an export",
                "verbose_name_plural": "pieces of exports",
                "constraints": [models.UniqueConstraint(fields=("export", "number"), name="export_piece_once")],
            },
        ),
        migrations.CreateModel(
            name="SubmissionFile",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=12, verbose_name="field")),
                ("name", models.CharField(max_length=120)),
                ("kind", models.CharField(max_length=8, verbose_name="type")),
                ("size", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "draft",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="portal.formdraft",
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="portal.submission",
                    ),
                ),
            ],
            options={
                "verbose_name": "file of a submission",
                "verbose_name_plural": "files of submissions",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("draft", None), ("submission__isnull", False)),
                            models.Q(("draft__isnull", False), ("submission", None)),
                            _connector="OR",
                        ),
                        name="submission_file_of_one",
                    ),
                    models.UniqueConstraint(fields=("submission", "key"), name="submission_file_once_per_field"),
                    models.UniqueConstraint(fields=("draft", "key"), name="draft_file_once_per_field"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="formversion",
            constraint=models.UniqueConstraint(fields=("form", "number"), name="form_version_numbered_once"),
        ),
    ]
