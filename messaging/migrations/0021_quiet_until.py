"""Tell in SQL until when it is quiet where a recipient may be: asked in the statement that lets a message go."""

from django.db import migrations

# NULL: it is quiet in none of the zones. infinity: there is no moment in three days at which it is quiet in none.
# The candidates are the ends of quiet hours in each zone: the first of them at which nobody sleeps is the answer.
_CREATE = """
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
_DROP = """
DROP FUNCTION messaging_quiet_until(text, time, time, timestamptz);
DROP FUNCTION messaging_is_quiet(text, time, time, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0020_sending_limits")]

    operations = [migrations.RunSQL(_CREATE, _DROP)]
