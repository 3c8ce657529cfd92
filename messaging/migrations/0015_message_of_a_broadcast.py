"""Say of a message which broadcast and which of its rows it was made for."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0014_broadcasts"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="broadcast",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="messaging.broadcast",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="broadcast_row",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
