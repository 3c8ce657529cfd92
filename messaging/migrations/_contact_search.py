"""Let contacts be found by the beginning of any word of the name, however many there are: see contacts/search.py.

The database folds and cuts the names itself, in a generated column, so that no writer can forget to. A name may stand
in any script; `normalize` and `translate` do not depend on the locale the database was made with.
"""

from django.db.migrations import RunSQL

# Capital letters beyond ASCII that have no simpler form under NFKD, and letters that people type as plain ones.
_LETTERS = {
    chr(code): chr(code).lower()
    for first, last in ((0x100, 0x24F), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x556), (0x1E00, 0x1EFF))
    for code in range(first, last + 1)
    if chr(code).lower() != chr(code) and len(chr(code).lower()) == 1
} | {"Ø": "o", "ø": "o", "Ł": "l", "ł": "l", "Đ": "d", "đ": "d", "ı": "i", "Þ": "t", "þ": "t", "Ð": "d", "ð": "d"}
# Longer than one letter, hence not for translate().
_SPELLED = {"ß": "ss", "ẞ": "ss", "Æ": "ae", "æ": "ae", "Œ": "oe", "œ": "oe"}
# Chinese, Japanese and Korean signs are looked for one by one: nobody can tell where their words begin.
_SIGNS = r"[\u3005-\u3007\u3041-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
_BETWEEN = r"[\s!-/:-@\[-`{-~\u00a0-\u00bf\u2000-\u206f\u3000-\u3004\u3008-\u3020\u30fb\uff00-\uff0f\uff1a-\uff20]+"

_plain = "value"
for _found, _instead in _SPELLED.items():
    _plain = f"replace({_plain}, '{_found}', '{_instead}')"

_FORWARD = f"""
CREATE SEQUENCE messaging_contact_ordinal;

CREATE FUNCTION heliograph_contact_words(value text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT AS $function$
    SELECT coalesce(array_agg(DISTINCT left(word, 16)), '{{}}') FROM regexp_split_to_table(
        regexp_replace(
            translate(
                lower(normalize(regexp_replace(normalize({_plain}, NFKD), '[\\u0300-\\u036f]', '', 'g'), NFC)),
                '{"".join(_LETTERS)}', '{"".join(_LETTERS.values())}'),
            '({_SIGNS})', ' \\1 ', 'g'),
        '{_BETWEEN}') AS word
    WHERE word <> ''
$function$;

CREATE FUNCTION heliograph_contact_probe(organization uuid, block bigint, words text[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
    SELECT array_agg(hashtextextended(organization::text || ':' || block::text || ':' || word, 0))
    FROM unnest(words) AS word
$function$;

CREATE FUNCTION heliograph_contact_terms(organization uuid, ordinal bigint, name text) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $function$
    SELECT coalesce(
        heliograph_contact_probe(organization, ordinal / 10000, array_agg(DISTINCT left(word, length))), '{{}}')
    FROM unnest(heliograph_contact_words(name)) AS word, generate_series(1, char_length(word)) AS length
$function$;
"""  # noqa: S608 - letters of our own
_BACKWARD = """
DROP FUNCTION heliograph_contact_terms(uuid, bigint, text);
DROP FUNCTION heliograph_contact_probe(uuid, bigint, text[]);
DROP FUNCTION heliograph_contact_words(text);
DROP SEQUENCE messaging_contact_ordinal;
"""

# Before the tables: the generated column of contacts calls these.
OPERATIONS = [RunSQL([(_FORWARD, None)], [(_BACKWARD, None)])]
