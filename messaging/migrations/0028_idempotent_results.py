"""Remember under an idempotency key what a request made that was not for one message."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0027_index_texts"),
    ]

    operations = [
        migrations.AddField(
            model_name="idempotencykey",
            name="result",
            field=models.JSONField(null=True),
        ),
    ]
