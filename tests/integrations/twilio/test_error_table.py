"""The error table is complete, honest about retries, and in our own words."""

import json
from pathlib import Path

import pytest

from integrations.twilio.error_table import ERRORS, Charged, ErrorEntry, Retry, Scope, explain

FACTS = Path(__file__).parents[4] / "shared" / "twilio" / "error-codes.json"

# How the collection's remarks on retrying translate; where they leave it open, several of ours will do.
TRANSLATIONS: dict[str, set[Retry]] = {
    "n/a": {Retry.NOT_APPLICABLE},
    "ambiguous": {Retry.UNKNOWN},
    "maybe": {Retry.UNKNOWN},
    "maybe (once, later)": {Retry.UNKNOWN},
    "immediately (backoff)": {Retry.LATER},
    "next day": {Retry.LATER},
    "after expiry": {Retry.LATER},
    "after expiry/cancel": {Retry.LATER},
    "later / after config": {Retry.LATER, Retry.AFTER_CHANGE},
    "after config": {Retry.AFTER_CHANGE},
    "after review": {Retry.AFTER_CHANGE},
    "after action": {Retry.AFTER_CHANGE},
    "ticket": {Retry.AFTER_CHANGE},
}


@pytest.fixture(scope="module")
def facts() -> list[dict]:
    if not FACTS.exists():
        pytest.skip(f"the collected facts are not here ({FACTS.name}): completeness of the error table is not checked")
    return json.loads(FACTS.read_text())["codes"]


def allowed(remark: str) -> set[Retry]:
    remark = remark.strip()
    if remark in TRANSLATIONS:
        return TRANSLATIONS[remark]
    if remark.startswith("later"):
        return {Retry.LATER}
    if remark == "no" or remark.startswith("no ("):
        return {Retry.NEVER}
    raise AssertionError(f"unknown remark {remark!r}")


def test_every_collected_code_is_explained(facts: list[dict]) -> None:
    assert {fact["code"] for fact in facts} <= set(ERRORS)
    assert len(facts) == 169


def test_retry_agrees_with_the_collected_facts(facts: list[dict]) -> None:
    wrong = {
        fact["code"]: (fact["retry"], ERRORS[fact["code"]].retry)
        for fact in facts
        if ERRORS[fact["code"]].retry not in allowed(fact["retry"])
    }
    assert wrong == {}


def test_what_was_refused_at_once_is_not_charged(facts: list[dict]) -> None:
    at_once = [fact["code"] for fact in facts if fact["phase"] == "sync" and fact["retry"] != "ambiguous"]
    assert [code for code in at_once if ERRORS[code].charged is not Charged.NO] == []


def test_no_text_is_copied(facts: list[dict]) -> None:
    for fact in facts:
        theirs = {normalized(fact["title"]), normalized(fact["remedy"])} - {""}
        entry = ERRORS[fact["code"]]
        assert not theirs & {normalized(entry.title), normalized(entry.meaning), normalized(entry.remedy)}, entry.code


def normalized(text: str) -> str:
    return " ".join(text.lower().replace("-", " ").split()).strip(" .")


@pytest.mark.parametrize("entry", [*ERRORS.values(), explain(None), explain(99999)], ids=lambda entry: str(entry.code))
def test_texts_are_whole_sentences_of_sensible_length(entry: ErrorEntry) -> None:
    assert entry.title
    assert len(entry.title) <= 60
    assert not entry.title.endswith(".")
    for text in (entry.meaning, entry.remedy):
        assert text == text.strip()
        assert text.endswith(".")
        assert "  " not in text
    assert len(entry.remedy) <= 300
    assert len(entry.meaning) <= 300


def test_no_two_codes_share_their_words() -> None:
    for texts in ([e.title for e in ERRORS.values()], [e.meaning for e in ERRORS.values()]):
        assert len(set(texts)) == len(ERRORS)


def test_only_what_a_person_or_nothing_can_cure_is_permanent() -> None:
    for entry in ERRORS.values():
        assert entry.is_permanent == (entry.retry in (Retry.NEVER, Retry.AFTER_CHANGE))


@pytest.mark.parametrize(("code", "scope"), [
    (10001, Scope.CONNECTION), (20003, Scope.CONNECTION), (21701, Scope.CONNECTION), (21702, Scope.CONNECTION),
    (21704, Scope.CONNECTION), (21705, Scope.CONNECTION), (30002, Scope.CONNECTION), (30037, Scope.CONNECTION),
    (20429, Scope.RATE), (21408, Scope.COUNTRY), (21610, Scope.RECIPIENT), (21606, Scope.SENDER),
    (21617, Scope.CONTENT), (30003, Scope.RECIPIENT), (30007, Scope.CONTENT), (30034, Scope.REGISTRATION),
    (60202, Scope.VERIFICATION), (11200, Scope.WEBHOOK),
])  # fmt: skip
def test_scope_says_what_else_will_fail(code: int, scope: Scope) -> None:
    assert explain(code).scope is scope


def test_codes_that_are_often_confused_are_told_apart() -> None:
    assert "reached" in explain(30003).title
    assert explain(30003).retry is Retry.LATER
    assert "block" in explain(30004).title
    assert "not in service" in explain(30005).title
    assert "unknown reason" in explain(30008).title
    assert explain(30009).retry is Retry.NOT_APPLICABLE
    assert "registered" in explain(30034).title
    assert "spam" in explain(30007).meaning
    assert "wrong codes" in explain(60202).title
    assert "requested" in explain(60203).title


def test_an_unknown_code_is_explained_honestly() -> None:
    entry = explain(54321)
    assert entry.code == 54321
    assert "54321" in entry.title
    assert "54321" in entry.remedy
    assert not entry.is_permanent
