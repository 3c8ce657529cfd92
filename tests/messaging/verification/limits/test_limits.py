"""Limits of asking for codes: each by its name, what a visitor reads, and what makes room again."""

import threading
from datetime import timedelta

import phonenumbers
import pytest
from django.db import connection as database
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from integrations.phones import PhoneProblem, parse_phone
from messaging.verification import limits
from messaging.verification.askers import Asker
from messaging.verification.counting import keys_of
from messaging.verification.limit_models import LimitCount, PausedPrefix, VerificationPolicy
from messaging.verification.limit_tasks import forget
from tests.conftest import Cast
from tests.messaging.verification.limits.street import FORM, Street, german

pytestmark = pytest.mark.django_db

ANNA, BEN = "+4915112345678", "+4916098765432"


def set_figures(cast: Cast, **figures: object) -> None:
    VerificationPolicy.objects.update_or_create(organization=cast.organization, defaults=figures)


def test_next_code_waits_longer_each_time_as_the_organization_says(cast: Cast) -> None:
    assert [limits.resend_wait_of(cast.organization, sends=sends) for sends in range(1, 7)] == [
        30,
        60,
        120,
        240,
        480,
        600,
    ]
    set_figures(cast, resend=5)
    assert [limits.resend_wait_of(cast.organization, sends=sends) for sends in (1, 2, 30)] == [5, 10, 600]


def test_one_number_gets_few_codes_that_nobody_confirms(cast: Cast, street: Street) -> None:
    for _ in range(5):
        assert street.ask(ANNA) == ""
    assert street.ask(ANNA) == "number"
    assert "Too many codes were asked for this number" in street.visitor
    assert street.detail == "5 codes an hour that nobody confirms go to one number."
    street.forward(seconds=street.retry_after or 0)
    assert street.ask(ANNA) == ""
    assert street.ask(BEN) == "", "another number has limits of its own"


def test_who_confirms_may_ask_again_at_once_but_not_all_day(street: Street) -> None:
    for _ in range(20):
        assert street.ask(ANNA) == ""
        street.confirm(ANNA)
        street.forward(seconds=20)
    assert street.ask(ANNA) == "number_day"
    assert "tomorrow" in street.visitor


def test_one_address_and_its_network_are_limited(cast: Cast, street: Street) -> None:
    set_figures(cast, ip=3, network=5, asker=1000)
    for number in range(3):
        assert street.ask(german(number), ip="203.0.113.7") == ""
    assert street.ask(german(50), ip="203.0.113.7") == "ip"
    assert "your internet connection" in street.visitor
    assert street.ask(german(51), ip="203.0.113.8") == ""
    assert street.ask(german(52), ip="203.0.113.9") == ""
    assert street.ask(german(53), ip="203.0.113.10") == "network"
    assert street.ask(german(54), ip="203.0.114.10") == ""
    street.confirm(german(0))
    assert street.ask(german(55), ip="203.0.113.7") == "", "a confirmed code makes room"


def test_addresses_of_one_household_of_ipv6_are_one(cast: Cast, street: Street) -> None:
    set_figures(cast, ip=2)
    assert street.ask(german(0), ip="2001:db8:1:2::1") == ""
    assert street.ask(german(1), ip="2001:db8:1:2:aaaa::9") == ""
    assert street.ask(german(2), ip="2001:db8:1:2:bbbb::9") == "ip"
    assert street.ask(german(3), ip="2001:db8:1:3::1") == ""
    assert street.ask(german(4), ip="::ffff:203.0.113.7") == ""
    assert street.ask(german(5), ip="nonsense") == ""


def test_addresses_and_numbers_are_kept_as_keyed_hashes(street: Street, settings: object) -> None:
    street.ask(ANNA, ip="203.0.113.7")
    kept = " ".join(f"{row.scope} {row.key} {row.origin}" for row in LimitCount.objects.all())
    assert "203.0.113" not in kept
    assert "12345678" not in kept
    before = keys_of(parse_phone(ANNA, region=None), Asker("form", ip="203.0.113.7"))
    settings.SECRET_KEY = "another key"  # type: ignore[attr-defined]
    after = keys_of(parse_phone(ANNA, region=None), Asker("form", ip="203.0.113.7"))
    assert [key.key for key in before[:4]] != [key.key for key in after[:4]]


def test_a_crowd_behind_one_address_gets_in_as_fast_as_it_confirms(street: Street) -> None:
    """A carrier's NAT, or a hall: two hundred people in five minutes, each of whom confirms after half a minute."""
    waiting = [(1.5 * number, german(number)) for number in range(200)]
    confirming: list[tuple[float, str]] = []
    begin, got = street.now, 0
    worst = 0.0
    came = {number: second for second, number in waiting}
    while waiting or confirming:
        waiting.sort()
        confirming.sort()
        if confirming and (not waiting or confirming[0][0] <= waiting[0][0]):
            second, number = confirming.pop(0)
            street.now = begin + timedelta(seconds=second)
            street.confirm(number)
            continue
        second, number = waiting.pop(0)
        street.now = begin + timedelta(seconds=second)
        if street.ask(number, ip="203.0.113.7"):
            assert street.retry_after is not None
            waiting.append((second + min(15, street.retry_after), number))
        else:
            got += 1
            worst = max(worst, second - came[number])
            confirming.append((second + 30, number))
    assert got == 200
    assert worst < 90
    assert not PausedPrefix.objects.exists()


def test_country_has_a_figure_and_others_are_not_sent_to(cast: Cast, street: Street) -> None:
    set_figures(cast, country=2, regions=["FR"])
    assert [street.ask(german(number)) for number in range(3)] == ["", "", "country"]
    assert "Germany" in street.detail
    assert street.ask("+33612345678") == ""
    assert street.ask("+34612345678") == "regions"
    assert "Spain is not among the countries" in street.detail
    assert "numbers of this country" in street.visitor
    assert street.retry_after is None


def test_server_is_held_to_countries_once_some_are_picked(cast: Cast, street: Street) -> None:
    assert street.ask("+33612345678") == "regions"
    assert street.ask("+33612345678", kind="portal") == "regions"
    assert street.ask("+33612345678", kind="api") == ""
    assert street.ask("+8613812345678", kind="member") == ""
    set_figures(cast, regions=["NL"])
    assert street.ask("+33612345679", kind="api") == "regions"
    assert street.ask("+31612345678", kind="api") == ""
    assert street.ask(ANNA, kind="api") == ""


def test_day_ends_everything_confirmed_or_not(cast: Cast, street: Street) -> None:
    set_figures(cast, day=3)
    for number in range(3):
        assert street.ask(german(number)) == ""
        street.confirm(german(number))
    assert street.ask(german(9)) == "day"
    assert street.ask(german(9), kind="api", asker_id=None) == "day"
    street.forward(hours=street.retry_after / 3600 + 0.1 if street.retry_after else 0)
    assert street.ask(german(9)) == ""


def test_forms_have_figures_of_their_own(cast: Cast, street: Street) -> None:
    set_figures(cast, asker=4)
    assert [street.ask(german(number)) for number in range(5)] == ["", "", "", "", "asker"]
    assert street.ask(german(6), asker_id=None) == ""
    assert street.ask(german(7), kind="api", asker_id=FORM) == ""


def test_other_organization_is_not_touched(cast: Cast, street: Street) -> None:
    set_figures(cast, number=1, day=1)
    assert street.ask(ANNA) == ""
    assert street.ask(ANNA) == "number"
    other = Street(cast.other)
    assert other.ask(ANNA) == ""


# ---- ranges that cost


def _examples(kind: int) -> list[str]:
    examples = (phonenumbers.example_number_for_type(region, kind) for region in phonenumbers.SUPPORTED_REGIONS)
    return [phonenumbers.format_number(found, PhoneNumberFormat.E164) for found in examples if found is not None]


@pytest.mark.parametrize(
    "kind",
    [
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.PERSONAL_NUMBER,
    ],
)
def test_no_range_that_costs_or_belongs_to_nobody_gets_a_code(cast: Cast, street: Street, kind: int) -> None:
    """Every region's example, with every country chosen."""
    set_figures(cast, regions=sorted(phonenumbers.SUPPORTED_REGIONS))
    examples = _examples(kind)
    assert len(examples) > 8
    for e164 in examples:
        try:
            phone = parse_phone(e164, region=None)
        except PhoneProblem:
            continue
        for channel in ("sms", "call"):
            with pytest.raises(limits.LimitReached) as reached:
                limits.admit(cast.organization, phone=phone, asker=Asker("form", FORM), channel=channel)
            assert reached.value.name == "kind", e164
            assert "mobile number" in reached.value.visitor


@pytest.mark.parametrize("code", [881, 882, 883, 870, 878, 979, 808, 800, 888])
def test_satellites_and_international_ranges_get_none(cast: Cast, street: Street, code: int) -> None:
    number = phonenumbers.example_number_for_non_geo_entity(code)
    assert number is not None
    phone = parse_phone(phonenumbers.format_number(number, PhoneNumberFormat.E164), region=None)
    with pytest.raises(limits.LimitReached, match="belongs to no country"):
        limits.admit(cast.organization, phone=phone, asker=Asker("form", FORM))


def test_landline_gets_a_call_and_no_text(street: Street) -> None:
    assert street.ask("+493012345678") == "kind"
    assert "Offer a call" in street.detail
    assert street.ask("+493012345678", channel="call") == ""


def test_every_mobile_example_passes_where_its_country_is_chosen(cast: Cast, street: Street) -> None:
    set_figures(cast, regions=sorted(phonenumbers.SUPPORTED_REGIONS), asker=10_000)
    for e164 in _examples(PhoneNumberType.MOBILE):
        phone = parse_phone(e164, region=None)
        if phone.region:
            limits.admit(cast.organization, phone=phone, asker=Asker("api"))
            limits.approved(cast.organization, phone=phone)


# ---- how it is counted


def test_request_takes_a_handful_of_statements(cast: Cast, street: Street) -> None:
    for number in (ANNA, BEN):  # the first finds no rows, the second some
        with CaptureQueriesContext(database) as statements:
            assert street.ask(number, ip="203.0.113.7") == ""
        own = [row["sql"] for row in statements if "SAVEPOINT" not in row["sql"]]
        assert len(own) <= 6, own
    with CaptureQueriesContext(database) as statements:
        street.confirm(ANNA)
    assert len([row for row in statements if "SAVEPOINT" not in row["sql"]]) <= 5


def test_refusal_that_would_be_rolled_back_is_a_mistake() -> None:
    """Outside a test's own transaction `admit` refuses to run inside another one: see `durable`."""
    import inspect

    assert "transaction.atomic(durable=True)" in inspect.getsource(limits)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_pass_than_the_figure(cast: Cast) -> None:
    VerificationPolicy.objects.create(organization=cast.organization, ip=5, prefix=100)
    barrier, passed, refused = threading.Barrier(8), [], set()

    def go(worker: int) -> None:
        try:
            barrier.wait()
            for number in range(5):
                phone = parse_phone(german(worker * 5 + number), region=None)
                try:
                    limits.admit(cast.organization, phone=phone, asker=Asker("api", ip="203.0.113.7"))
                except limits.LimitReached as reached:
                    refused.add(reached.name)
                else:
                    passed.append(phone)
        finally:
            database.close()

    threads = [threading.Thread(target=go, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 5
    assert refused == {"ip"}
    sent = LimitCount.objects.filter(scope="day").aggregate(sent=Sum("sent"))["sent"]
    assert round(sent) == 5


def test_what_has_faded_is_forgotten_and_people_first(street: Street) -> None:
    street.now -= timedelta(days=4)
    street.ask(ANNA, ip="203.0.113.7")
    forget()
    left = set(LimitCount.objects.values_list("scope", flat=True))
    assert left == {"narrow", "middle", "wide", "country", "asker", "day"}
    LimitCount.objects.update(at=street.now - timedelta(days=40))
    forget()
    assert not LimitCount.objects.exists()


def test_every_sentence_is_there_and_follows_the_language(street: Street) -> None:
    with translation.override("de"):
        for name in (*limits.LIMITS, *limits.OTHER_WORDS):
            reached = limits.LimitReached(name, detail="x", retry_after=None)
            assert isinstance(reached.visitor, str)
            assert reached.visitor or name in {"pause", "resend"}
    assert set(limits.OTHER_TITLES) == set(limits.OTHER_WORDS)
    assert set(limits.LIMITS) == {field.name for field in VerificationPolicy._meta.get_fields()} - {
        "id", "organization", "regions"
    }  # fmt: skip


def test_who_asks_for_codes_to_another_ones_number_does_not_lock_its_owner_out(cast: Cast, street: Street) -> None:
    """The owner's own browser is known and counted apart: neither the number's count nor a pause keeps it out."""
    phone = parse_phone(ANNA, region=None)
    own = Asker("portal", FORM, ip="198.51.100.7", device="0123")
    while street.ask(ANNA) == "":
        street.forward(seconds=60)
    assert street.ask(ANNA) == "number", "the attacker has used up what there is"
    PausedPrefix.objects.create(
        organization=cast.organization, prefix=ANNA[:8], region="DE", reason="growth", sent=9, approved=0,
        until=street.now + timedelta(hours=6),
    )  # fmt: skip
    for _ in range(5):
        limits.admit(cast.organization, phone=phone, asker=own)
    with pytest.raises(limits.LimitReached) as refused:
        limits.admit(cast.organization, phone=phone, asker=own)
    assert refused.value.name == "number", "it has a limit, too"
    limits.approved(cast.organization, phone=phone)
    limits.admit(cast.organization, phone=phone, asker=own)


def test_a_device_vouches_for_its_own_number_alone(cast: Cast, street: Street) -> None:
    asker = Asker("portal", FORM, device="1")
    first, second = (keys_of(parse_phone(number, region=None), asker) for number in (ANNA, BEN))
    assert [key for key in first if key.scope == "device"] != [key for key in second if key.scope == "device"]
    assert not any(key.key == "1" for key in first), "no name of a device is kept"


# ---- a number whose codes others have used up, and its owner on a new device


def use_up(street: Street, *, ip: str) -> int:
    """Ask for codes to Anna's number from one network until none leaves; return how many did."""
    count = 0
    while street.ask(ANNA, ip=ip) == "":
        count += 1
    assert street.ask(ANNA, ip=ip) == "number"
    return count


def test_the_owner_gets_in_on_a_new_device_although_a_stranger_used_the_number_up(street: Street) -> None:
    assert use_up(street, ip="203.0.113.7") == 5
    assert street.ask(ANNA, ip="203.0.113.200") == "number", "the same network once more"
    assert street.ask(ANNA, ip="198.51.100.7", solves=False) == "challenge", "for a task, which costs nothing yet"
    assert street.ask(ANNA, ip="198.51.100.7") == ""
    assert street.ask(ANNA, ip="198.51.100.7") == "", "the first may get lost"
    assert street.ask(ANNA, ip="198.51.100.7") == "number"
    street.confirm(ANNA)
    assert street.ask(ANNA, ip="198.51.100.7") == "", "who confirms is no stranger"


def test_a_used_up_day_has_spare_codes_too(cast: Cast, street: Street) -> None:
    for _ in range(20):
        assert street.ask(ANNA, ip="203.0.113.7") == ""
        street.confirm(ANNA)
        street.forward(seconds=20)
    for _ in range(2):
        street.ask(ANNA, ip="203.0.113.7")
    assert street.ask(ANNA, ip="203.0.113.7") == "number_day"
    assert street.ask(ANNA, ip="198.51.100.7") == ""


def test_strangers_in_many_networks_get_a_bounded_few_in_a_day(street: Street) -> None:
    use_up(street, ip="203.0.113.7")
    got, tasks = 0, 0
    for network in range(40):
        for _ in range(3):
            tasks += street.ask(ANNA, ip=f"198.18.{network}.7", solves=False) == "challenge"
            got += street.ask(ANNA, ip=f"198.18.{network}.7") == ""
    assert got == tasks == 12, "a task for each, and no more than that however many networks"
    assert street.ask(BEN, ip="198.18.3.7") == "", "another number's are its own"


def test_who_has_no_address_has_nothing_spare(street: Street) -> None:
    for kind in ("form", "api", "member"):
        LimitCount.objects.all().delete()
        for _ in range(5):
            assert street.ask(ANNA, kind=kind) == ""
        assert street.ask(ANNA, kind=kind) == "number", kind
