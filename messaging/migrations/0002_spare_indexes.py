"""Spare messages without contact or template two indexes: half of what inserting a row costs is its indexes."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # indexes of a big table are built beside its use

    dependencies = [("messaging", "0001_tables")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)), fields=["contact"], name="message_of_contact"
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("template__isnull", False)),
                fields=["organization", "template", "-id"],
                name="message_log_with_template",
            ),
        ),
        RemoveIndexConcurrently(model_name="message", name="message_log_by_template"),
        migrations.AlterField(
            model_name="message",
            name="contact",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="messages",
                to="messaging.contact",
            ),
        ),
    ]
