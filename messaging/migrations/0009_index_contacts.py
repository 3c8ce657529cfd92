"""Find contacts by number, e-mail, name, country, import, attribute and tag, without reading them all."""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# The table between contacts and tags has no model of ours to name its indexes: members of a tag, newest first.
FORWARD = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_tag_newest_first ON messaging_contact_tags (tag_id, contact_id DESC)
"""
BACKWARD = "DROP INDEX CONCURRENTLY IF EXISTS contact_tag_newest_first"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0008_contact_details")]

    operations = [
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(fields=["organization", "-ordinal"], name="contact_by_ordinal"),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(fields=["organization", "region", "-id"], name="contact_by_country"),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(fields=["organization", "created_at"], name="contact_by_day"),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("imported_in__isnull", False)),
                fields=["organization", "imported_in", "-id"],
                name="contact_by_import",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Reverse("phone"), name="text_pattern_ops"
                ),
                name="contact_by_last_digits",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Lower("email"), name="text_pattern_ops"
                ),
                condition=models.Q(("email", ""), _negated=True),
                name="contact_by_email",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=["terms"], name="contact_by_terms"),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("attributes", name="jsonb_path_ops"),
                fastupdate=False,
                name="contact_by_attribute",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
