"""`.env.example` and the settings name the same things."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ = re.compile(r"""\benv(?:\.\w+)?\(\s*["']([A-Z][A-Z0-9_]*)["']""")
NAMED = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]*)=", re.MULTILINE)

# Read by compose.yaml or by the launcher, not by the settings.
ELSEWHERE = {"POSTGRES_PASSWORD", "VALKEY_PASSWORD", "PORT", "SANDBOX_PORT", "WORKERS"}


@pytest.fixture
def example() -> str:
    return (ROOT / ".env.example").read_text(encoding="utf-8")


def test_every_setting_is_named_once(example: str) -> None:
    read = set(READ.findall((ROOT / "config" / "settings.py").read_text(encoding="utf-8")))
    assert len(read) > 20
    named = NAMED.findall(example)
    assert sorted(named) == sorted(set(named))
    assert set(named) - ELSEWHERE == read


def test_every_setting_has_its_line_of_explanation(example: str) -> None:
    before = ""
    for line in example.splitlines():
        if NAMED.match(line):
            assert before.startswith("# ") or NAMED.match(before), line
        before = line


def test_example_holds_no_secret(example: str) -> None:
    for name in (
        "SECRET_KEY",
        "CREDENTIAL_KEYS",
        "SANDBOX_SECRET",
        "POSTGRES_PASSWORD",
        "METRICS_TOKEN",
        "DATABASE_URL",
    ):
        assert re.search(rf"^(?:# )?{name}=$", example, re.MULTILINE), name
