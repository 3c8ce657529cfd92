"""A broadcast in a browser: a file with an error in row 812, the dry run, start, pause, resume, results."""

import re
from pathlib import Path

from playwright.sync_api import expect

from .conftest import Person

UNREACHABLE = "+1 202 555 0103"  # the sandbox never reaches it: 30003


def people(*, rows: int, broken: int) -> str:
    """Return a table; of the broken row (as a spreadsheet counts) the name is missing."""
    lines = ["Name;Handynummer;Stadt", f"Uma Unreachable;{UNREACHABLE};Washington"]
    for number in range(3, rows + 2):
        lines.append(f"{'' if number == broken else f'Person {number}'};0160 9{number:07d};Köln")
    return "\r\n".join(lines) + "\r\n"


def test_from_a_file_with_an_error_to_the_results(owner: Person, tmp_path: Path) -> None:
    page = owner.page
    owner.product.manage("connect_twilio", "--org", owner.slug, "--sandbox", "--mps", "60")
    file = tmp_path / "Kunden.csv"
    file.write_bytes(people(rows=900, broken=812).encode("utf-8-sig"))

    owner.open("broadcasts/")
    owner.look("40-broadcasts-empty")
    page.get_by_role("link", name="Prepare the first broadcast").click()
    page.get_by_label("Name", exact=True).fill("Depot closed")
    page.get_by_label("Text", exact=True).fill("Hello {{ name }}, our depot is closed on Friday.")
    expect(page.locator("#measure .hg-bubble")).to_contain_text("our depot is closed")
    page.get_by_label("A CSV file").check()
    owner.look("41-broadcast-new")
    page.get_by_role("button", name=re.compile("check the recipients")).click()

    page.get_by_label("File", exact=True).set_input_files(file)
    owner.look("42-broadcast-file")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Phone number")).to_have_value("1")
    expect(page.get_by_label(re.compile("^name"))).to_have_value("0")
    owner.look("43-broadcast-columns")
    page.get_by_role("button", name="Check every row").click()

    expect(page.get_by_text("1 row is wrong.")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("A value is missing for name.")).to_be_visible()
    expect(page.locator(".hg-wrong-rows")).to_contain_text("812")
    expect(page.get_by_role("button", name=re.compile("^Send to"))).to_have_count(0)
    owner.look("44-broadcast-wrong-row")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download it")).click()
    assert ",812," in Path(download.value.path()).read_text(encoding="utf-8-sig")
    page.get_by_role("button", name="Leave out 1 wrong row").click()
    expect(page.get_by_text("Hello Uma Unreachable, our depot")).to_be_visible()
    owner.look("45-broadcast-dry-run")

    page.get_by_role("button", name="Send to 899 people").click()
    expect(page.get_by_text(re.compile(r"[1-9][0-9]* of 899"))).to_be_visible(timeout=30_000)
    owner.look("46-broadcast-sending")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("What waits stays where it is")).to_be_visible()
    owner.look("47-broadcast-paused")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("link", name="Cancel…").click()
    expect(page.get_by_role("button", name=re.compile(r"^Cancel for [0-9,]+ people"))).to_be_visible()
    owner.look("48-broadcast-cancel")
    page.get_by_role("link", name="Keep it going").click()

    expect(page.locator(".hg-pill", has_text="Done").first).to_be_visible(timeout=90_000)
    expect(page.get_by_text("899 of 899")).to_be_visible()
    expect(page.get_by_text(re.compile("^1 × "))).to_be_visible(timeout=30_000)
    expect(page.get_by_text("It is safe to send it again to 1 person")).to_be_visible(timeout=30_000)
    owner.look("49-broadcast-results")
    with page.expect_download() as results:
        page.get_by_role("link", name="Download the results").click()
    assert len(Path(results.value.path()).read_text(encoding="utf-8-sig").splitlines()) == 901
    page.get_by_role("button", name="Prepare it again for 1 person").click()
    expect(page.get_by_role("button", name="Send to 1 person")).to_be_visible(timeout=60_000)
    owner.open("broadcasts/")
    expect(page.get_by_role("link", name="Depot closed (again)")).to_be_visible()
    owner.look("50-broadcasts")


def test_a_long_name_without_spaces_breaks_on_a_phone(owner: Person) -> None:
    page = owner.page
    owner.product.manage("connect_twilio", "--org", owner.slug, "--sandbox")
    owner.open("broadcasts/new/")
    page.get_by_label("Name", exact=True).fill("Sommer" + "x" * 90)
    page.get_by_label("Text", exact=True).fill("We open at nine.")
    page.get_by_role("button", name=re.compile("^.*Go on")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sommer")
    page.set_viewport_size({"width": 390, "height": 844})
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wider)
    owner.open("broadcasts/")
    link = page.get_by_role("link", name=re.compile("^Sommer"))
    expect(link).to_be_visible()
    assert link.evaluate("link => link.getBoundingClientRect().right <= document.documentElement.clientWidth")
