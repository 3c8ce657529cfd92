"""Members' pages of verification in a browser: the list, one of them, conversion, and why a route was taken."""

import subprocess
import sys

from playwright.sync_api import expect

from config.launcher.environment import CHECKOUT

from .conftest import Person

# A week as it may be: codes entered, not entered, lost, refused, in three countries.
_SEED = """
from datetime import timedelta
from django.utils import timezone
from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from messaging.verification.models import Verification, VerificationSend
organization = Organization.objects.get(slug={slug!r})
connection = Connection.objects.get(organization=organization)
now = timezone.now()
CASES = [("approved", {{}}), ("approved", {{}}), ("expired", {{"error_reason": "expired"}}), ("approved", {{}}),
         ("failed", {{"error_code": 60410}}), ("max_attempts", {{"error_reason": "max_attempts"}}), ("lost", {{}})]
for number in range(60):
    status, more = CASES[number % 7]
    at = now - timedelta(hours=3 * number, minutes=7)
    region, phone = [("DE", "+491511234"), ("NL", "+316123"), ("FR", "+336123")][number % 3]
    fields = dict(organization=organization, phone=f"{{phone}}{{5600 + number}}", region=region, asker_kind="api",
        backend="own", route="twilio", connection=connection, status=status, sends=1, created_at=at, checks=1,
        expires_at=at + timedelta(minutes=10), resend_after=at, ended_at=at + timedelta(minutes=1), **more)
    if status == "approved":
        fields |= dict(approved_at=at, delivered_at=at, reported_at=at)
    if status == "lost":
        fields |= dict(status="failed", undelivered_at=at, reported_at=at, error_code=30003)
        fields |= dict(error_reason="not_delivered")
    verification = Verification.objects.create(**fields)
    outcome = "failed" if status == "lost" else "refused" if status == "failed" else "sent"
    VerificationSend.objects.create(verification=verification, channel="sms", outcome=outcome, at=at,
        error_code=fields.get("error_code"))
"""


def test_from_a_try_to_the_conversion(owner: Person) -> None:
    page = owner.page
    owner.product.manage("connect_twilio", "--org", owner.slug, "--sandbox")
    owner.open("verifications/")
    expect(page.get_by_text("No verifications yet")).to_be_visible()
    page.get_by_role("link", name="Send a code to your own phone").click()
    page.get_by_label("Number").fill("0151 12345678")
    owner.look("70-verification-try")
    page.get_by_role("button", name="Send").click()
    page.get_by_label("Code", exact=True).fill("000")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("No code could be read.")).to_be_visible()
    owner.look("71-verification-waiting")
    page.get_by_role("button", name="Cancel this verification").click()
    expect(page.get_by_text("Canceled: its code proves nothing any more.")).to_be_visible()

    script = _SEED.format(slug=owner.slug)
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", script],
        cwd=CHECKOUT, env=owner.product.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    owner.open("verifications/")
    expect(page.locator("tbody tr")).to_have_count(50)
    owner.look("72-verifications")
    page.get_by_label("Status").select_option("failed")
    page.get_by_role("button", name="Search").click()
    lost = page.locator("tbody tr").filter(has_text="+31").first
    lost.get_by_role("link").click()
    expect(page.get_by_text("What to do:")).to_be_visible()
    owner.look("73-verification-failed")
    owner.open("verifications/conversion/")
    expect(page.get_by_role("cell", name="Netherlands")).to_be_visible()
    page.get_by_text("Figures by day").click()
    owner.look("74-conversion")


def test_why_this_route(owner: Person) -> None:
    page = owner.page
    owner.product.manage("connect_twilio", "--org", owner.slug, "--sandbox")
    owner.open("routing/")
    page.get_by_label("Number").fill("+31 6 12345678")
    page.get_by_role("button", name="Show the route").click()
    expect(page.get_by_text("Outside Mainland China").first).to_be_visible()
    assert "12345678" not in page.url
    owner.look("75-why-this-route")
