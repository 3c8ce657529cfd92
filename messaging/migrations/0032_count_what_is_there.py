"""Have the messages that are there counted: their quarters are marked, and the first run of the task does the rest."""

from django.db import migrations

MARK = """
INSERT INTO messaging_quartercount (organization_id, begins)
SELECT DISTINCT organization_id, date_bin('15 minutes', created_at, timestamptz '2000-01-01 00:00:00+00')
FROM messaging_message WHERE created_at > now() - interval '16 days' AND direction = 'outbound'
"""
FOLLOW = """
INSERT INTO messaging_countprogress (id, event, before)
SELECT 1, COALESCE(max(id), 0), COALESCE(max(id), 0) FROM messaging_messageevent
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0031_quarter_counts")]

    operations = [migrations.RunSQL([MARK, FOLLOW], migrations.RunSQL.noop)]
