"""How long the list of contacts takes with a million of them, and with ten thousand: whole pages, as a browser asks."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.test import Client

from integrations.organizations.models import Member, Organization, User
from messaging.contacts.models import Tag

FEW, MANY = 10_000, 1_000_000
_TIMES = 15
# Three of ten are called Maria, none of them among the newest six of ten; half are members, all of them the oldest.
FILL = """
INSERT INTO messaging_contact
    (id, organization_id, name, phone, region, email, language, notes, created_at, updated_at)
SELECT
    (lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || '8' || substr(md5(n || %(slug)s), 1, 15))::uuid,
    %(organization)s,
    CASE WHEN n <= %(count)s * 0.4 AND n %% 4 < 3 THEN 'Maria ' || initcap(substr(md5('m' || n), 1, 6))
         WHEN n %% 50 = 0 THEN chr(19968 + n %% 3000) || chr(20000 + n %% 2999) || chr(21000 + n %% 2500)
         ELSE (ARRAY['Anna','Ben','Carla','Dmitri','Élodie','Fatima','Giorgio','Hannah','Ivan','Jørgen'])[1 + n %% 10]
              || ' ' || initcap(translate(substr(md5('l' || n), 1, 7), '0123456789', 'ghijklmnop')) END,
    '+49' || (15100000000 + (n::bigint * 7919) %% 100000000)::text, 'DE', 'person' || n || '@example.com', 'de', '',
    now() - (%(count)s - n) * interval '1 second', now()
FROM generate_series(1, %(count)s) AS n
"""
TAG_OLDEST = """
INSERT INTO messaging_contact_tags (contact_id, tag_id)
SELECT id, %(tag)s FROM messaging_contact WHERE organization_id = %(organization)s ORDER BY id LIMIT %(count)s / 2
"""


@dataclass(frozen=True)
class Book:
    """An address book of the benchmark and somebody who looks at it."""

    organization: Organization
    client: Client
    tag: Tag

    def ask(self, **wanted: str) -> float:
        """Return how many milliseconds a page takes: opened, or searched for."""
        address = f"/o/{self.organization.slug}/contacts/"
        began = time.perf_counter()
        if "q" in wanted:
            response = self.client.post(address, wanted, headers={"HX-Request": "true"})
        else:
            response = self.client.get(address, wanted)
        took = (time.perf_counter() - began) * 1000
        if response.status_code != 200:
            raise RuntimeError(f"The list of contacts answered {response.status_code}.")
        return took


def measure_contacts(*, say: Callable[[str], None]) -> dict[str, Any]:
    """Fill two address books and return the middle and the slowest time of each question, in both."""
    settings.ALLOWED_HOSTS = ["*"]
    # In this process no static files were collected; their names alone stand in the pages.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    results: dict[str, Any] = {"times": _TIMES}
    for name, count in (("few", FEW), ("many", MANY)):
        began = time.perf_counter()
        book = _fill(name, count)
        results[f"{name}_filled_in_s"] = round(time.perf_counter() - began, 1)
        say(f"Contacts: {count:,} made in {results[f'{name}_filled_in_s']} s …")
        results[name] = {title: _figures(book, wanted) for title, wanted in _questions(book).items()}
    results["ratio"] = {
        title: round(results["many"][title]["p50"] / results["few"][title]["p50"], 2) for title in results["few"]
    }
    return results


def _questions(book: Book) -> dict[str, dict[str, str]]:
    return {
        "first page": {},
        "last four digits": {"q": "4711"},
        "whole number": {"q": "0151 00079190"},
        "common word, everywhere": {"q": "carla"},
        "common word, among the oldest only": {"q": "maria"},
        "two words, one common": {"q": "anna gh"},
        "rare word": {"q": "mariabel"},
        "nobody": {"q": "zzzz zzzz"},
        "one Chinese sign": {"q": chr(19968 + 100)},
        "two Chinese signs": {"q": chr(19968 + 100) + chr(20000 + 100)},
        "address": {"q": "person4711@"},
        "half of all by tag, the oldest": {"tag": str(book.tag.pk)},
        "common word among the tag's": {"q": "maria", "tags_all": str(book.tag.pk)},
        "common word whose newest half lacks the tag": {"q": "carla", "tags_all": str(book.tag.pk)},
    }


def _figures(book: Book, wanted: dict[str, str]) -> dict[str, float]:
    book.ask(**wanted)
    took = sorted(book.ask(**wanted) for _ in range(_TIMES))
    return {"p50": round(took[_TIMES // 2], 1), "max": round(took[-1], 1)}


def _fill(name: str, count: int) -> Book:
    organization = Organization.objects.create(name=f"Contacts, {name}", slug=f"contacts-{name}", default_region="DE")
    user = User.objects.create_user(f"contacts-{name}@example.com", name="Benchmark")
    Member.objects.create(organization=organization, user=user, role="owner")
    tag = Tag.objects.create(organization=organization, name="Member")
    with database.cursor() as cursor:
        cursor.execute(FILL, {"organization": organization.pk, "count": count, "slug": name})
        cursor.execute(TAG_OLDEST, {"organization": organization.pk, "count": count, "tag": tag.pk})
        cursor.execute("VACUUM ANALYZE messaging_contact, messaging_contact_tags")
    client = Client()
    client.force_login(user)
    return Book(organization, client, tag)
