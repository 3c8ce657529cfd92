"""The ledger of credits is only added to: the database itself refuses changes and deletions."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER credit_entries_stay BEFORE UPDATE OR DELETE ON integrations_creditentry
    FOR EACH ROW EXECUTE FUNCTION heliograph_refuse_change();
"""
BACKWARD = "DROP TRIGGER credit_entries_stay ON integrations_creditentry;"


class Migration(migrations.Migration):
    dependencies = [("integrations", "0006_credits")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
