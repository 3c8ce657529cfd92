import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0002_portals"),
    ]

    operations = [
        migrations.AddField(
            model_name="portaluser",
            name="number_since",
            field=models.DateTimeField(null=True),
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
    ]
