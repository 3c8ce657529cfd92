"""The words by which a recipient opts out, comes back or asks for help.

English ones as Twilio reads them by default: https://help.twilio.com/articles/223134027 (REVOKE and OPTOUT are newer
than the rest). Those of other languages, and the organization's own, come from its policy. Twilio takes the whole
message only; so do we, but more kindly: "Stop." and "«STOP»" count, "Please stop calling" does not.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from integrations.phones import NumberKind, PhoneProblem, parse_phone

from .keyword_presets import PRESETS
from .models import ConsentPolicy

Keyword = Literal["stop", "start", "help"]

STOP_WORDS = frozenset({"stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel"})
START_WORDS = frozenset({"start", "yes", "unstop"})
# Networks lift their own block of a toll-free number for nothing else: https://help.twilio.com/articles/360058144374
TOLL_FREE_START_WORDS = frozenset({"start", "unstop"})
HELP_WORDS = frozenset({"help", "info"})
YES_WORDS = frozenset({"yes", "y"})
LONGEST_WORD = 30
_LONGEST = 40  # no keyword with its punctuation is longer; a flood of long texts costs nothing
_DOTLESS_I = str.maketrans({"ı": "i"})


@dataclass(frozen=True)
class Asked:
    """What a message asks for by a keyword; `is_twilios`: Twilio reads the word too, without being told."""

    kind: Keyword
    word: str
    is_twilios: bool


def classify(body: str, *, policy: ConsentPolicy | None = None, to: str = "") -> Keyword | None:
    """Return which keyword the whole text is, or None. Case, accents, and blanks and signs around it do not count."""
    asked = read_keyword(body, policy=policy, to=to)
    return asked.kind if asked else None


def read_keyword(
    body: str, *, policy: ConsentPolicy | None = None, to: str = "", opt_out_type: str = ""
) -> Asked | None:
    """Return what the whole text asks for, or None.

    `to` is the number of ours that was written to: YES is no START for a toll-free one. `opt_out_type` is what Twilio
    found by the words of its Advanced Opt-Out, and comes first.
    """
    told = opt_out_type.strip().lower()
    word = bare(body)
    if told in {"stop", "start", "help"}:
        return Asked(told, word[:_LONGEST], is_twilios=True)  # type: ignore[arg-type]
    if not word:
        return None
    if word in STOP_WORDS:
        return Asked("stop", word, is_twilios=True)
    if word in START_WORDS:
        return None if word not in TOLL_FREE_START_WORDS and is_toll_free(to) else Asked("start", word, is_twilios=True)
    if word in HELP_WORDS:
        return Asked("help", word, is_twilios=True)
    return _by_policy(word, policy) if policy is not None else None


def is_yes(body: str, *, policy: ConsentPolicy) -> bool:
    """Tell whether the whole text confirms, in English, a language of the policy or a word of its own."""
    word = bare(body)
    words: set[str] = set(YES_WORDS)
    words.update(_bares(policy.confirm_words))
    for language in policy.languages:
        if language in PRESETS:
            words.update(_bares(PRESETS[language].yes))
    return bool(word) and word in words


def is_toll_free(number: str) -> bool:
    """Tell whether a number of ours is a toll-free one of the US or Canada, whose networks handle STOP themselves."""
    try:
        phone = parse_phone(number, region=None, allow_magic=True)
    except PhoneProblem:
        return False
    return phone.country_code == 1 and phone.kind is NumberKind.TOLL_FREE


def bare(text: str) -> str:
    """Return the word a text consists of, without case, accents, and what stands around it; "" for a long text."""
    if len(text) > 10 * _LONGEST or len(text.strip()) > _LONGEST:
        return ""
    # NFKD takes accents off their letters and makes full-width letters plain ones.
    letters = (
        "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
        .casefold()
        .translate(_DOTLESS_I)
    )
    first = next((place for place, sign in enumerate(letters) if sign.isalnum()), len(letters))
    last = next((place for place in range(len(letters), 0, -1) if letters[place - 1].isalnum()), first)
    # Signs that cannot be seen do not make another word of it.
    seen = "".join(sign for sign in letters[first:last] if unicodedata.category(sign) not in {"Cf", "Cc"})
    return " ".join(seen.split())


def as_seen(text: str) -> str:
    """Return a text as one sees it: without the signs that cannot be seen or that turn the reading direction."""
    return "".join(sign for sign in text if unicodedata.category(sign) not in {"Cf", "Cc"}).strip()


def _by_policy(word: str, policy: ConsentPolicy) -> Asked | None:
    # STOP first: where two languages disagree about a word, silence is the smaller fault.
    for kind in ("stop", "start", "help"):
        if word in _bares(getattr(policy, f"extra_{kind}_words")):
            return Asked(kind, word, is_twilios=False)  # type: ignore[arg-type]
    for kind in ("stop", "start", "help"):
        for language in policy.languages:
            if language in PRESETS and word in _bares(getattr(PRESETS[language], kind)):
                return Asked(kind, word, is_twilios=False)  # type: ignore[arg-type]
    return None


def _bares(words: Iterable[str]) -> set[str]:
    return {bare(str(word)) for word in words} - {""}
