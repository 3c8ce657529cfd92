"""Let the audit log forget the name of an erased person, and nothing else: one function is the only way.

Who did what and when stays; which contact it was, and the values of the change, go.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION heliograph_keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('heliograph.erasing', true) = 'audit'
        AND (NEW.id, NEW.actor_label, NEW.action, NEW.object_kind, NEW.object_id, NEW.ip, NEW.at)
            = (OLD.id, OLD.actor_label, OLD.action, OLD.object_kind, OLD.object_id, OLD.ip, OLD.at)
        AND NEW.organization_id IS NOT DISTINCT FROM OLD.organization_id
        AND NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Rows of % are only ever added.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
DROP TRIGGER audit_entries_stay ON integrations_auditentry;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON integrations_auditentry
    FOR EACH ROW EXECUTE FUNCTION heliograph_keep_audit();
CREATE FUNCTION heliograph_erase_audit(uuid, text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    erased integer;
BEGIN
    PERFORM set_config('heliograph.erasing', 'audit', true);
    UPDATE integrations_auditentry SET object_label = 'an erased contact', changes = '{}'::jsonb
    WHERE organization_id = $1 AND object_id = $2 AND object_id <> '';
    GET DIAGNOSTICS erased = ROW_COUNT;
    PERFORM set_config('heliograph.erasing', '', true);
    RETURN erased;
END
$$;
"""
BACKWARD = """
DROP FUNCTION heliograph_erase_audit(uuid, text);
DROP TRIGGER audit_entries_stay ON integrations_auditentry;
DROP FUNCTION heliograph_keep_audit();
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON integrations_auditentry
    FOR EACH ROW EXECUTE FUNCTION heliograph_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0008_reply_addresses")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
