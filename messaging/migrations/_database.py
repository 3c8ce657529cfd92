"""What the database itself sees to, beyond tables: the ledger of consent, opt-outs' times, quiet hours, one index."""

from django.db.migrations import RunSQL

# The ledger of consent is only added to, as the audit log is; erasing a person is the one thing that reaches past it.
# The function keeps what was agreed, when and by which wording. Free text, networks and ids that lead to the person go.
_CONSENT = """
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
_WITHOUT_CONSENT = """
DROP FUNCTION heliograph_erase_consent(uuid, text, text);
DROP TRIGGER consent_records_stay ON messaging_consentrecord;
DROP FUNCTION heliograph_keep_consent();
"""

# An opt-out holds from its commit, since nobody sees it before: its time is taken then, and not when it was written.
# Between the two lie milliseconds, or a second in a long transaction on a busy machine. A message that was claimed
# meanwhile, rightly, would stand in the proof for STOP as sent in spite of it. What began before the transaction did is
# history that somebody writes down, and stays as it is.
_OPT_OUTS = """
CREATE FUNCTION heliograph_opt_out_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE messaging_optout SET started_at = clock_timestamp()
    WHERE id = NEW.id AND ended_at IS NULL AND started_at > transaction_timestamp() - interval '1 second';
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER opt_out_holds_from_its_commit AFTER INSERT ON messaging_optout
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION heliograph_opt_out_holds();
"""
_WITHOUT_OPT_OUTS = """
DROP TRIGGER opt_out_holds_from_its_commit ON messaging_optout;
DROP FUNCTION heliograph_opt_out_holds();
"""

# NULL: it is quiet in none of the zones. infinity: there is no moment in three days at which it is quiet in none.
# The candidates are the ends of quiet hours in each zone: the first of them at which nobody sleeps is the answer.
_QUIET = """
CREATE FUNCTION messaging_is_quiet(zone text, quiet_from time, quiet_until time, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN quiet_from < quiet_until
        THEN (at AT TIME ZONE zone)::time >= quiet_from AND (at AT TIME ZONE zone)::time < quiet_until
        ELSE (at AT TIME ZONE zone)::time >= quiet_from OR (at AT TIME ZONE zone)::time < quiet_until
    END
$$;

CREATE FUNCTION messaging_quiet_until(zones text, quiet_from time, quiet_until time, at timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    known text[] := '{}';
    name text;
    answer timestamptz;
BEGIN
    FOREACH name IN ARRAY string_to_array(zones, ' ') LOOP
        BEGIN
            PERFORM at AT TIME ZONE name;
            known := known || name;
        EXCEPTION WHEN invalid_parameter_value THEN
            NULL;  -- a zone that this server's tables do not know must not hold up all other messages
        END;
    END LOOP;
    IF NOT EXISTS (SELECT 1 FROM unnest(known) AS z WHERE messaging_is_quiet(z, quiet_from, quiet_until, at)) THEN
        RETURN NULL;
    END IF;
    SELECT min(candidate) INTO answer
    FROM unnest(known) AS ends(zone) CROSS JOIN generate_series(0, 3) AS days(ahead)
    CROSS JOIN LATERAL (
        SELECT ((at AT TIME ZONE ends.zone)::date + days.ahead + quiet_until) AT TIME ZONE ends.zone
    ) AS moments(candidate)
    WHERE candidate > at AND NOT EXISTS (
        SELECT 1 FROM unnest(known) AS others(zone)
        WHERE messaging_is_quiet(others.zone, quiet_from, quiet_until, moments.candidate)
    );
    RETURN COALESCE(answer, 'infinity');
END
$$;
"""
_WITHOUT_QUIET = """
DROP FUNCTION messaging_quiet_until(text, time, time, timestamptz);
DROP FUNCTION messaging_is_quiet(text, time, time, timestamptz);
"""

# The table between contacts and tags has no model of ours to name its indexes: members of a tag, newest first.
_TAGGED = "CREATE INDEX contact_tag_newest_first ON messaging_contact_tags (tag_id, contact_id DESC)"

# The counts of quarters of an hour begin with the first event there will be.
_COUNTS = "INSERT INTO messaging_countprogress (id, event, before) VALUES (1, 0, 0)"

OPERATIONS = [
    RunSQL(_CONSENT, _WITHOUT_CONSENT),
    RunSQL(_OPT_OUTS, _WITHOUT_OPT_OUTS),
    RunSQL(_QUIET, _WITHOUT_QUIET),
    RunSQL(_TAGGED, "DROP INDEX contact_tag_newest_first"),
    RunSQL(_COUNTS, RunSQL.noop),
]
