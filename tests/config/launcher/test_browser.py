import sys
from pathlib import Path

import pytest

from config.launcher import browser


def fake_browser(folder: Path, name: str, *, version: str = "Chromium 140.0", code: int = 0) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{version}'\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(browser, "install_browser", lambda: False)
    return tmp_path


def test_browser_on_the_path_is_found(bare_machine: Path) -> None:
    assert browser.find_browser() is None
    fake_browser(bare_machine, "chromium", version="snap: not installed", code=1)
    found = fake_browser(bare_machine, "google-chrome", version="Google Chrome 140.0")
    assert browser.find_browser() == str(found)


def test_named_browser_goes_before_the_path(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_browser(bare_machine, "chromium")
    named = fake_browser(bare_machine, "mine")
    monkeypatch.setenv("CHROMIUM", str(named))
    assert browser.find_browser() == str(named)


def test_missing_browser_is_said_loudly(bare_machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert browser.main([]) == 0
    assert "BROWSER TESTS ARE LEFT OUT" in capsys.readouterr().err


def test_missing_browser_fails_in_ci(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert browser.main([sys.executable, "-c", ""]) == 1


def test_named_browser_that_does_not_start_is_a_missing_one(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_browser(bare_machine, "chromium")
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    monkeypatch.setenv("CI", "true")
    assert browser.main([]) == 1
    assert "/nowhere/chromium does not start" in capsys.readouterr().err
