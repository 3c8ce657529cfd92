"""The table of Django's database cache, which sign-in's rate limits use."""

from django.db import migrations

FORWARD = """
CREATE TABLE IF NOT EXISTS django_cache (
    cache_key varchar(255) PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX IF NOT EXISTS django_cache_expires ON django_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0002_append_only_audit")]

    operations = [migrations.RunSQL(FORWARD, "DROP TABLE django_cache")]
