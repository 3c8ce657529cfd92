"""Platform SMS is priced in credits, which stand where a currency does."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0034_alert_inbox_flooded")]

    operations = [
        migrations.AlterField(
            model_name="message", name="price_unit", field=models.CharField(blank=True, max_length=7)
        ),
    ]
