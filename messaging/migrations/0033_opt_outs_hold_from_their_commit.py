"""An opt-out holds from its commit, since nobody sees it before: its time is taken then, and not when it was written.

Between the two lie milliseconds, or a second in a long transaction on a busy machine. A message that was claimed
meanwhile, rightly, would stand in the proof for STOP as sent in spite of it. What began before the transaction did is
history that somebody writes down, and stays as it is.
"""

from django.db import migrations

FORWARD = """
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
BACKWARD = """
DROP TRIGGER opt_out_holds_from_its_commit ON messaging_optout;
DROP FUNCTION heliograph_opt_out_holds();
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0032_count_what_is_there")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
