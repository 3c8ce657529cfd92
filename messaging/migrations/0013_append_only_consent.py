"""The ledger of consent is only added to, as the audit log is; erasing a person is the one thing that reaches past it.

The function keeps what was agreed, when and by which wording. Free text, networks and ids that lead to the person go.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION heliograph_keep_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('heliograph.erasing', true) = 'consent'
        AND (NEW.id, NEW.organization_id, NEW.channel, NEW.purpose, NEW.action, NEW.source, NEW.at)
            = (OLD.id, OLD.organization_id, OLD.channel, OLD.purpose, OLD.action, OLD.source, OLD.at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Rows of % are only ever added.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER consent_records_stay BEFORE UPDATE OR DELETE ON messaging_consentrecord
    FOR EACH ROW EXECUTE FUNCTION heliograph_keep_consent();
CREATE FUNCTION heliograph_erase_consent(uuid, text, text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    erased integer;
BEGIN
    PERFORM set_config('heliograph.erasing', 'consent', true);
    UPDATE messaging_consentrecord SET
        phone = $3,
        contact_id = NULL,
        reason = '',
        evidence = COALESCE((
            SELECT jsonb_object_agg(key, value) FROM jsonb_each(evidence)
            WHERE key IN ('wording', 'wording_version', 'form', 'file', 'file_sha256', 'given_at', 'keyword',
                'confirm_until', 'before', 'opt_out')
        ), '{}'::jsonb)
    WHERE organization_id = $1 AND phone = $2;
    GET DIAGNOSTICS erased = ROW_COUNT;
    PERFORM set_config('heliograph.erasing', '', true);
    RETURN erased;
END
$$;
"""
BACKWARD = """
DROP FUNCTION heliograph_erase_consent(uuid, text, text);
DROP TRIGGER consent_records_stay ON messaging_consentrecord;
DROP FUNCTION heliograph_keep_consent();
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0012_consent_ledger")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
