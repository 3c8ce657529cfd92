"""What the database itself sees to, beyond tables: ledgers that are only added to, and the table of Django's cache."""

from django.db.migrations import RunSQL

# Sign-in's rate limits use Django's database cache.
_CACHE = """
CREATE TABLE IF NOT EXISTS django_cache (
    cache_key varchar(255) PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX IF NOT EXISTS django_cache_expires ON django_cache (expires);
"""

_REFUSE = """
CREATE FUNCTION heliograph_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are only ever added.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
"""

# The audit log may forget the name of an erased person, and nothing else: one function is the only way. Who did what and
# when stays; which contact it was, and the values of the change, go.
_AUDIT = """
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

_CREDITS = """
CREATE TRIGGER credit_entries_stay BEFORE UPDATE OR DELETE ON integrations_creditentry
    FOR EACH ROW EXECUTE FUNCTION heliograph_refuse_change();
"""
_WITHOUT_GUARDS = """
DROP TRIGGER credit_entries_stay ON integrations_creditentry;
DROP FUNCTION heliograph_erase_audit(uuid, text);
DROP TRIGGER audit_entries_stay ON integrations_auditentry;
DROP FUNCTION heliograph_keep_audit();
DROP FUNCTION heliograph_refuse_change();
"""

OPERATIONS = [
    RunSQL(_CACHE, "DROP TABLE django_cache"),
    RunSQL([_REFUSE, _AUDIT, _CREDITS], _WITHOUT_GUARDS),
]
