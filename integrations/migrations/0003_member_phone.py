from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0002_messaging_service_name"),
    ]

    operations = [
        migrations.AddField(
            model_name="member",
            name="phone",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=16),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(("phone", ""), ("phone__regex", "^\\+[0-9]{3,15}$"), _connector="OR"),
                name="member_phone_is_e164",
            ),
        ),
    ]
