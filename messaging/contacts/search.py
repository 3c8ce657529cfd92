"""Find contacts by what somebody types: a number in any writing or its end, a name, an e-mail address.

The database keeps for each contact the beginnings of the words of its name, without accents and in small letters, and
each sign of a Chinese, Japanese or Korean one, hashed together with the organization and the contact's *block*: ten
thousand contacts that were added one after the other. A search looks into one block after the other, the newest first,
and stops when its page is full. So a name that half of a million contacts share costs no more than one block, and a
name that nobody has costs one look into the index for each block. (One index over all blocks, with the newest first on
top, would make PostgreSQL choose between reading every bearer of a common name and walking past everybody else.)
"""

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import BigIntegerField, F, Func, Max, Min, Q, QuerySet, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower, Reverse

from integrations.organizations.models import Organization
from integrations.phones import search_forms

from .models import Contact

BLOCK = 10_000  # written into heliograph_contact_terms
LONGEST_QUERY = 200


def plain_query(text: str) -> str:
    """Return a typed search without what PostgreSQL cannot take and no search needs."""
    return text.replace("\x00", "").strip()[:LONGEST_QUERY]


def fits(organization: Organization, *, query: str) -> Q:
    """Return the condition that a contact fits what was typed: for going through all of them, in any order."""
    wanted = _by_number(organization, query) | _by_email(query)
    words = _words(query)
    if not words:
        return wanted or Q(pk__in=[])
    newest, oldest = _blocks(organization)
    by_name = Q()
    for word in words:
        terms = [_probe(organization, Value(block), [word]) for block in range(oldest, newest + 1)]
        by_name &= Q(terms__overlap=Func(*terms, function="", arg_joiner=" || ", template="(%(expressions)s)"))
    return wanted | by_name


def newest_fitting(
    rows: QuerySet[Contact], *, organization: Organization, query: str, before: int | None, most: int
) -> list[int]:
    """Return the ordinals of the newest contacts among `rows` that fit, below the ordinal `before`, at most `most`."""
    found: set[int] = set()
    if before is not None:
        rows = rows.filter(ordinal__lt=before)
    for condition in (_by_number(organization, query), _by_email(query)):
        if condition:
            # The sum keeps PostgreSQL from walking along the ordinals in the hope of meeting the number soon.
            one_way = rows.alias(backwards=Reverse("phone"), address=Lower("email")).filter(condition)
            found.update(one_way.order_by(-(F("ordinal") + 0)).values_list("ordinal", flat=True)[:most])
    if words := _words(query):
        found.update(_block_by_block(rows, organization=organization, words=words, before=before, most=most))
    return sorted(found, reverse=True)[:most]


def _block_by_block(
    rows: QuerySet[Contact], *, organization: Organization, words: Sequence[str], before: int | None, most: int
) -> list[int]:
    newest, oldest = _blocks(organization)
    if before is not None:
        newest = min(newest, before // BLOCK)
    in_block = rows.filter(terms__contains=_probe(organization, RawSQL("b.block", []), words))
    statement, values = (
        in_block.order_by(-(F("ordinal") + 0)).values_list("ordinal", flat=True)[:most].query.sql_with_params()
    )
    with connection.cursor() as cursor:
        # The blocks come in the order of the series, and each gives its own newest first: the first `most` are it.
        cursor.execute(
            f"SELECT found.ordinal FROM generate_series(%s::bigint, %s::bigint, -1) AS b(block)"  # noqa: S608
            f" CROSS JOIN LATERAL ({statement}) AS found(ordinal) LIMIT %s",
            [newest, oldest, *values, most],
        )
        return [row[0] for row in cursor.fetchall()]


def _words(query: str) -> list[str]:
    """Return the words of a search as the database cuts those of a name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT heliograph_contact_words(%s)", [query])
        return list(cursor.fetchone()[0])


def _probe(organization: Organization, block: Any, words: Sequence[str]) -> Func:
    return Func(
        Value(organization.pk),
        block,
        Value(list(words), output_field=ArrayField(TextField())),
        function="heliograph_contact_probe",
        output_field=ArrayField(BigIntegerField()),
    )


def _blocks(organization: Organization) -> tuple[int, int]:
    """Return the newest and the oldest block in which the organization has contacts."""
    ends = Contact.objects.filter(organization=organization).aggregate(newest=Max("ordinal"), oldest=Min("ordinal"))
    return (ends["newest"] or 0) // BLOCK, (ends["oldest"] or 0) // BLOCK


def _by_number(organization: Organization, query: str) -> Q:
    forms = search_forms(query, region=organization.default_region)
    wanted = Q()
    if forms.exact:
        wanted |= Q(phone__in=forms.exact)
    if forms.suffix:
        wanted |= Q(backwards__startswith=forms.suffix[::-1])
    return wanted


def _by_email(query: str) -> Q:
    return Q(address__startswith=query.lower()) & ~Q(email="") if "@" in query else Q()
