"""The audit log is only added to: the database itself refuses changes and deletions."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION heliograph_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are only ever added.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON integrations_auditentry
    FOR EACH ROW EXECUTE FUNCTION heliograph_refuse_change();
"""
BACKWARD = """
DROP TRIGGER audit_entries_stay ON integrations_auditentry;
DROP FUNCTION heliograph_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
