"""Members' pages of people once more: figures of days and countries, logins, files of the registration, filters."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from integrations.organizations.models import Organization
from messaging.verification.models import Verification
from portal.accounts.finding import PersonFilter, people_of
from portal.accounts.models import Portal, PortalInvitation, PortalLogin, PortalRole, PortalUser
from portal.accounts.statistics import Figures, report_of
from portal.forms.models import Submission, SubmissionFile
from tests.conftest import Cast
from tests.portal.accounts.insiders import proof
from tests.portal.forms.samples import PNG

from .conftest import NUMBERS, make_portal, person

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def address(cast: Cast, portal: Portal, name: str, *rows: Any) -> str:
    return cast.url(reverse(f"portals:{name}", args=[portal.pk, *(row.pk for row in rows)]))


def words(response: Any) -> str:
    return " ".join(response.content.decode().split())


def log_in(portal: Portal, *, at: datetime, region: str = "DE", outcome: str = "in", **given: Any) -> PortalLogin:
    row = PortalLogin.objects.create(portal=portal, how="code", outcome=outcome, region=region, **given)
    PortalLogin.objects.filter(pk=row.pk).update(at=at)
    return row


def invited(portal: Portal, n: int, *, at: datetime, region: str = "DE", **given: Any) -> PortalInvitation:
    user = person(portal, n, status="invited")
    PortalUser.objects.filter(pk=user.pk).update(region=region)
    row = PortalInvitation.objects.create(
        portal=portal,
        user=user,
        token_hash=f"hash {user.pk}",
        source="hand",
        expires_at=at + timedelta(days=14),
        **given,
    )
    PortalInvitation.objects.filter(pk=row.pk).update(created_at=at)
    return row


def code(portal: Portal, n: int, *, at: datetime, region: str = "DE", **given: Any) -> None:
    row = proof(portal, NUMBERS[n], region=region, sends=1, **given)
    Verification.objects.filter(pk=row.pk).update(created_at=at)


class TestStatistics:
    """What is counted, of which days, and of which portal."""

    @pytest.fixture
    def counted(self, cast: Cast, portal: Portal) -> Portal:
        """Three days of Berlin: yesterday, today, and half an hour that is today only there; beside much else."""
        Organization.objects.update(time_zone="Europe/Berlin")
        portal.organization.refresh_from_db()
        yesterday, midnight = NOON - timedelta(days=1), datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
        ada = person(portal, 0, registered_at=midnight)
        person(portal, 1, registered_at=yesterday, status="suspended")
        person(portal, 2, registered_at=None, status="waiting")
        PortalUser.objects.filter(pk=person(portal, 3, registered_at=NOON).pk).update(region="FR")
        for at in (midnight, NOON, NOON):
            log_in(portal, at=at, user=ada)
        log_in(portal, at=NOON, region="FR", outcome="registered")
        log_in(portal, at=yesterday, region="")
        for outcome in ("wrong_password", "turned_away"):
            log_in(portal, at=NOON, outcome=outcome)
        invited(portal, 4, at=yesterday, used_at=NOON)
        invited(portal, 5, at=NOON)
        invited(portal, 6, at=NOON, revoked_at=NOON)
        invited(portal, 7, at=NOON, region="FR", used_at=NOON)
        for n in range(3):
            code(portal, n, at=NOON)
        code(portal, 3, at=yesterday, region="FR", status="expired", ended_at=NOON)
        # Older than a week, and of other portals, of this organization and of another.
        old = NOON - timedelta(days=20)
        person(portal, 8, registered_at=old)
        log_in(portal, at=old)
        invited(portal, 9, at=old, used_at=NOON)
        code(portal, 9, at=old)
        for other in (make_portal(cast, name="Suppliers"), make_portal(cast, name="Theirs", stranger=True)):
            person(other, 0, registered_at=NOON)
            log_in(other, at=NOON)
            invited(other, 1, at=NOON, used_at=NOON)
            code(other, 0, at=NOON)
        return portal

    def test_days_are_those_of_the_organization(self, counted: Portal) -> None:
        with time_machine.travel(NOON, tick=False):
            report = report_of(counted, days=7)
        assert [day.name for day in report.by_day] == [f"2026-03-{day:02d}" for day in range(4, 11)]
        assert all(day.is_empty for day in report.by_day[:5])
        assert report.by_day[5:] == [
            Figures("2026-03-09", registered=1, logins=1, invited=1, accepted=1),
            Figures("2026-03-10", registered=2, logins=4, invited=2, accepted=1),
        ]
        assert report.total == Figures("All", registered=3, logins=5, invited=3, accepted=2)
        assert report.total.percent == 67

    def test_countries_come_by_what_happened_there(self, counted: Portal) -> None:
        with time_machine.travel(NOON, tick=False):
            report = report_of(counted, days=7)
        assert report.by_country == [
            Figures("Germany", registered=2, logins=3, invited=2, accepted=1),
            Figures("France", registered=1, logins=1, invited=1, accepted=1),
            Figures("No country", logins=1),
        ]
        assert [one.percent for one in report.by_country] == [50, 100, None]

    def test_codes_are_those_that_were_asked_for_at_this_portal(self, counted: Portal) -> None:
        with time_machine.travel(NOON, tick=False):
            codes = report_of(counted, days=7).codes
        assert (codes.total.sent, codes.total.approved, codes.total.percent) == (4, 3, 75)
        assert [(one.name, one.sent, one.approved) for one in codes.by_country] == [("Germany", 3, 3), ("France", 1, 0)]

    def test_more_days_count_more(self, counted: Portal) -> None:
        with time_machine.travel(NOON, tick=False):
            report = report_of(counted, days=30)
        assert len(report.by_day) == 30
        assert report.total == Figures("All", registered=4, logins=6, invited=4, accepted=3)
        assert report.codes.total.sent == 5

    def test_the_page_shows_the_days_that_were_chosen(self, cast: Cast, counted: Portal) -> None:
        client, path = cast.client("agent"), address(cast, counted, "statistics")
        with time_machine.travel(NOON, tick=False):
            week, month = words(client.get(f"{path}?days=7")), words(client.get(f"{path}?days=30"))
            for asked in ("", "?days=8", "?days=x", "?days=-1", "?days=7&days=00"):
                assert 'aria-current="page">30 days' in words(client.get(path + asked)), asked
            quarter = client.get(f"{path}?days=90")
        for shown in ("<strong>3</strong>", "<strong>5</strong>", "<strong>75 %</strong>", "<strong>67 %</strong>"):
            assert shown in week, shown
        assert "of 4 who were sent a code entered it" in week and "of 3 invitations accepted" in week
        assert 'title="2026-03-10: 2 registered, 4 logins"' in week
        assert "2026-03-03" not in week and "2026-03-03" in month
        assert re.search(r"Germany</td>.*?>2</td>.*?>3</td>.*?>2</td>.*?>1 \(50 %\)</td>", week)
        assert "<strong>75 %</strong>" in month and "of 4 invitations accepted" in month
        assert len(quarter.context["report"].by_day) == 90

    def test_a_portal_where_nothing_happened(self, cast: Cast, portal: Portal) -> None:
        page = words(cast.client("owner").get(address(cast, portal, "statistics")))
        assert page.count("<strong>–</strong>") == 2 and "of 0 invitations accepted" in page
        assert "By country" not in page


class TestLogins:
    """The history of logins on a person's page."""

    def test_everything_about_a_login_is_shown(self, cast: Cast, portal: Portal, driver: PortalUser) -> None:
        page = words(cast.client("agent").get(address(cast, portal, "person", driver)))
        assert "Never logged in." in page
        log_in(portal, at=NOON, user=driver, device="Firefox, Android", network="203.0.113.0/24", is_new_device=True)
        log_in(portal, at=NOON, user=driver, outcome="wrong_password")
        page = words(cast.client("agent").get(address(cast, portal, "person", driver)))
        rows = _rows(page)
        assert len(rows) == 2 and "Never logged in." not in page
        assert rows[0][1:] == ["Wrong password", "Code", "not known", "not known"], "the newest comes first"
        assert rows[1][1:] == ["Logged in", "Code", "Firefox, Android devices New", "203.0.113.0/24"]

    def test_logins_of_others_stand_elsewhere(self, cast: Cast, portal: Portal, driver: PortalUser) -> None:
        log_in(portal, at=NOON, user=person(portal, 1), device="Opera, Mac")
        log_in(portal, at=NOON, device="Nobody, Linux")
        log_in(portal, at=NOON, user=person(make_portal(cast, name="Suppliers"), 0), device="Safari, iPhone")
        page = words(cast.client("owner").get(address(cast, portal, "person", driver)))
        for device in ("Opera", "Nobody", "Safari"):
            assert device not in page
        assert "Never logged in." in page

    def test_the_newest_twenty_are_shown(self, cast: Cast, portal: Portal, driver: PortalUser) -> None:
        for n in range(22):
            log_in(portal, at=NOON, user=driver, device=f"Browser {n}")
        rows = _rows(words(cast.client("owner").get(address(cast, portal, "person", driver))))
        assert [row[3] for row in rows] == [f"Browser {n}" for n in range(21, 1, -1)]


def _rows(page: str) -> list[list[str]]:
    """Return the cells of the table of logins."""
    table = page.partition('id="logins"')[2].partition("</section>")[0].partition("<tbody>")[2]
    rows = re.findall(r"<tr>(.*?)</tr>", table)
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", row)] for row in rows
    ]


class TestFiles:
    """What was sent at registration."""

    def sent(self, user: PortalUser, *, name: str = "licence.png", kind: str = "png", content: bytes = PNG) -> Any:
        assert user.submission is not None
        return SubmissionFile.objects.create(
            submission=user.submission, key="f3", name=name, kind=kind, size=len(content), content=content
        )

    def test_a_picture_is_shown_and_linked(self, cast: Cast, portal: Portal, applicant: PortalUser) -> None:
        version = portal.form.current
        assert version is not None
        version.definition = [*version.definition, {"key": "f3", "kind": "file", "label": "Licence", "accept": ["png"]}]
        version.save()
        assert applicant.submission is not None
        file = self.sent(applicant)
        applicant.submission.answers["f3"] = {"name": file.name}
        applicant.submission.save()
        path = address(cast, portal, "person_file", applicant, file)
        client = cast.client("agent")
        for page in (address(cast, portal, "person", applicant), address(cast, portal, "approvals")):
            assert f'href="{path}"' in words(client.get(page)), page
        answer = client.get(path)
        assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, PNG, "image/png")
        assert "licence.png" in answer["Content-Disposition"] and "inline" in answer["Content-Disposition"]
        assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
        assert "no-store" in answer["Cache-Control"]

    def test_what_is_no_picture_is_kept_and_not_opened(self, cast: Cast, portal: Portal, applicant: PortalUser) -> None:
        file = self.sent(applicant, name='a"\n<b>.html', kind="pdf", content=b"<script>alert(1)</script>")
        answer = cast.client("owner").get(address(cast, portal, "person_file", applicant, file))
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")

    def test_who_may_not_see_people_gets_no_file(self, cast: Cast, portal: Portal, applicant: PortalUser) -> None:
        path = address(cast, portal, "person_file", applicant, self.sent(applicant))
        for who, status in (("admin", 200), ("viewer", 403), ("stranger", 404), ("operator", 404), (None, 302)):
            assert cast.client(who).get(path).status_code == status, who
        assert cast.client("owner").post(path).status_code == 405
        elsewhere = path.replace(cast.organization.slug, cast.other.slug, 1)
        assert cast.client("stranger").get(elsewhere).status_code == 404

    def test_a_file_belongs_to_its_person(self, cast: Cast, portal: Portal, applicant: PortalUser) -> None:
        mine = self.sent(applicant)
        neighbour, without = person(portal, 2, answers=True), person(portal, 3)
        suppliers, theirs = make_portal(cast, name="Suppliers"), make_portal(cast, name="Theirs", stranger=True)
        sibling, foreign = person(suppliers, 4, answers=True), person(theirs, 5, answers=True)
        beside, hers, theirs_too = self.sent(neighbour), self.sent(sibling), self.sent(foreign)
        client = cast.client("owner")
        for wrong in (
            address(cast, portal, "person_file", neighbour, mine),
            address(cast, portal, "person_file", without, mine),
            address(cast, portal, "person_file", applicant, beside),
            address(cast, portal, "person_file", applicant, hers),
            address(cast, portal, "person_file", applicant, theirs_too),
            address(cast, portal, "person_file", sibling, hers),
            address(cast, suppliers, "person_file", applicant, mine),
            address(cast, theirs, "person_file", foreign, theirs_too),
            address(cast, portal, "person_file", applicant, applicant),
        ):
            assert client.get(wrong).status_code == 404, wrong
        assert client.get(address(cast, portal, "person_file", applicant, mine)).status_code == 200
        assert client.get(address(cast, suppliers, "person_file", sibling, hers)).status_code == 200

    def test_a_file_that_a_public_form_took_is_none_of_the_registration(
        self, cast: Cast, portal: Portal, applicant: PortalUser
    ) -> None:
        assert applicant.submission is not None
        other = Submission.objects.create(form=portal.form, version=portal.form.current, answers={}, phone=NUMBERS[1])
        file = SubmissionFile.objects.create(submission=other, key="f3", name="x.png", kind="png", size=1, content=PNG)
        path = address(cast, portal, "person_file", applicant, file)
        assert cast.client("owner").get(path).status_code == 404


class TestFilters:
    """Whom a list shows."""

    @pytest.fixture
    def roles(self, cast: Cast, portal: Portal) -> list[PortalRole]:
        """Two roles with people of two countries; another portal's people beside them."""
        drivers, pilots = (PortalRole.objects.create(portal=portal, name=name) for name in ("Drivers", "Pilots"))
        other = make_portal(cast, name="Suppliers")
        suppliers = PortalRole.objects.create(portal=other, name="Suppliers")
        for where, n, name, role, region in (
            (portal, 0, "Ada", drivers, "DE"), (portal, 1, "Bea", drivers, "FR"), (portal, 2, "Cid", pilots, "FR"),
            (portal, 3, "Dan", None, "DE"), (other, 4, "Eve", suppliers, "ES"), (other, 5, "Finn", None, "DE"),
        ):  # fmt: skip
            user = person(where, n, name=name, role=role)
            PortalUser.objects.filter(pk=user.pk).update(region=region)
        PortalUser.objects.filter(name="Bea").update(status="suspended")
        return [drivers, pilots, suppliers]

    def found(self, portal: Portal, **wanted: str) -> str:
        return "".join(sorted(user.name[0] for user in people_of(portal, PersonFilter(**wanted))))

    def test_every_part_narrows(self, portal: Portal, roles: list[PortalRole]) -> None:
        drivers, pilots, suppliers = (str(role.pk) for role in roles)
        for wanted, names in (
            ({}, "ABCD"), ({"role": drivers}, "AB"), ({"role": pilots}, "C"), ({"role": "none"}, "D"),
            ({"role": suppliers}, ""), ({"country": "FR"}, "BC"), ({"country": "DE"}, "AD"), ({"country": "ES"}, ""),
            ({"role": drivers, "country": "FR"}, "B"), ({"role": drivers, "status": "active"}, "A"),
            ({"role": "none", "country": "FR"}, ""), ({"country": "FR", "query": "cid"}, "C"),
            ({"role": "9" * 40}, "ABCD"), ({"role": "x"}, "ABCD"), ({"country": "' OR 1=1"}, ""),
        ):  # fmt: skip
            assert self.found(portal, **wanted) == names, wanted

    def test_the_page_offers_what_there_is_and_finds_it(self, cast: Cast, portal: Portal, roles: list[Any]) -> None:
        client, path = cast.client("agent"), address(cast, portal, "people")
        form = client.get(path).context["filter_form"]
        offered = {name: [value for value, _ in form.fields[name].choices] for name in ("role", "country")}
        drivers, pilots, suppliers = (str(role.pk) for role in roles)
        assert offered == {"role": ["", drivers, pilots, "none"], "country": ["", "FR", "DE"]}
        for given, names in (
            ({"role": drivers}, {"Ada", "Bea"}), ({"role": "none"}, {"Dan"}), ({"country": "FR"}, {"Bea", "Cid"}),
            ({"role": drivers, "country": "DE"}, {"Ada"}), ({"role": pilots, "country": "DE"}, set()),
        ):  # fmt: skip
            page = client.post(path, given, follow=True)
            assert {user.name for user, _ in page.context["rows"]} == names, given
            shown = page.context["filter_form"]
            assert {name: shown[name].value() for name in given} == given, "what was chosen stays chosen"
        for given in ({"role": suppliers}, {"country": "ES"}, {"role": "x"}):
            assert client.post(path, given).status_code == 422, given

    def test_the_table_holds_whom_the_list_showed(self, cast: Cast, portal: Portal, roles: list[PortalRole]) -> None:
        from .test_people_pages import run_jobs

        client, path = cast.client("agent"), address(cast, portal, "people")
        shown = client.post(path, {"role": str(roles[0].pk), "country": "FR"}, follow=True)
        client.post(address(cast, portal, "people_export"), {"search": shown.context["search"]})
        run_jobs()
        download = client.get(address(cast, portal, "people_download", portal.form.exports.get()))
        table = b"".join(download.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        assert "Bea" in table and "Drivers" in table
        assert not re.search("Ada|Cid|Dan|Eve", table)
