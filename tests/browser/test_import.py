"""A table becomes contacts in a browser: the file, its columns, errors in their cells, the import, the export."""

import re
from pathlib import Path

from playwright.sync_api import expect

from .conftest import Person

PEOPLE = (
    "Name;Handynummer;E-Mail;Newsletter;Stadt\r\n"
    "Jörg Müller;0151 12345678;joerg@example.com;ja;Köln\r\n"
    "王小明;+86 138 0013 8000;;nein;上海\r\n"
    "Zoë Ortega;12;zoe@example;ja;\r\n"
    "Jörg again;+49 151 12345678;;;Bonn\r\n"
    + "".join(f"Person {number};0160 9{number:07d};;;Berlin\r\n" for number in range(1500))
)


def test_from_a_file_to_contacts_and_back(owner: Person, tmp_path: Path) -> None:
    page = owner.page
    file = tmp_path / "Kunden Herbst.csv"
    file.write_bytes(PEOPLE.encode("utf-16"))

    owner.open("contacts/")
    page.get_by_role("link", name="Import").click()
    owner.look("30-import-file")
    picture = tmp_path / "photo.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    page.get_by_label("File", exact=True).set_input_files(picture)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("This is a picture, not a table")).to_be_visible()
    owner.look("31-import-picture")

    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Phone number")).to_have_value("1")
    expect(page.get_by_text("0151 12345678 · +86 138 0013 8000").first).to_be_visible()
    page.get_by_label("Notes").select_option(label="Stadt")
    expect(page.get_by_text("Köln · 上海").first).to_be_visible()
    page.get_by_label("It stands in a column").check()
    expect(page.get_by_label("Column with the consent")).to_have_value("3")
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_text("without it the consent proves nothing")).to_be_visible()
    page.get_by_label("Where and by which words").fill("Counter in Cologne, autumn 2026: “Send me offers by SMS.”")
    owner.look("32-import-columns")
    page.get_by_role("button", name="Check every row").click()

    expect(page.get_by_role("button", name="Import 1,502 contacts")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("The number is too short").first).to_be_visible()
    expect(page.get_by_text("This number stands in row 2 already")).to_be_visible()
    owner.look("33-import-checked")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download all 2")).click()
    assert "Zoë Ortega" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    page.get_by_role("button", name="Import 1,502 contacts").click()
    expect(page.get_by_role("link", name="Show the contacts")).to_be_visible(timeout=60_000)
    owner.look("34-import-done")
    page.get_by_role("link", name="Show the contacts").click()
    owner.look("35-contacts-imported")
    expect(page.get_by_text("Person 1499")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^Export")).click()
    rows = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1503

    owner.open("opt-outs/")
    page.get_by_role("link", name="Import a list").click()
    stops = tmp_path / "stops.csv"
    stops.write_text("0151 12345678\n0160 90000000\n")
    page.get_by_label("File", exact=True).set_input_files(stops)
    page.get_by_role("button", name="Upload").click()
    owner.look("36-opt-outs-columns")
    page.get_by_role("button", name="Check every row").click()
    page.get_by_role("button", name="Opt 2 numbers out").click(timeout=60_000)
    page.get_by_role("link", name="Opt-outs").last.click(timeout=60_000)
    owner.open("opt-outs/")
    expect(page.get_by_text("+49 1511 2345678")).to_be_visible()
