"""Find contacts by the day of a moment among their attributes, whatever the attribute is called: for automations.

A moment is a text like 2026-05-01T14:30, which the index of all attributes finds only as a whole. The day is hashed
together with the organization and the attribute's name. Contacts without attributes are not in the index and cost
nothing; it is named here alone, because Django's models do not describe its condition.
"""

from django.db import migrations

_FUNCTIONS = r"""
CREATE FUNCTION heliograph_contact_day(organization uuid, key text, day text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
    SELECT hashtextextended(organization::text || ':' || key || ':' || day, 0)
$function$;

CREATE FUNCTION heliograph_contact_days(organization uuid, attributes jsonb) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $function$
    SELECT array_agg(heliograph_contact_day(organization, key, left(value, 10)))
    FROM jsonb_each_text(attributes)
    WHERE value ~ '^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}'
$function$;
"""
_INDEX = """
CREATE INDEX CONCURRENTLY contact_by_moment ON messaging_contact
    USING gin (heliograph_contact_days(organization_id, attributes)) WITH (fastupdate = off)
    WHERE attributes <> '{}'::jsonb AND heliograph_contact_days(organization_id, attributes) IS NOT NULL
"""


class Migration(migrations.Migration):
    atomic = False  # indexes of a big table are built beside its use

    dependencies = [("messaging", "0014_triggers")]

    operations = [
        migrations.RunSQL(
            [_FUNCTIONS],
            [
                "DROP FUNCTION heliograph_contact_days(uuid, jsonb); DROP FUNCTION heliograph_contact_day(uuid, text, text);"
            ],
        ),
        migrations.RunSQL([_INDEX], ["DROP INDEX CONCURRENTLY contact_by_moment"]),
    ]
