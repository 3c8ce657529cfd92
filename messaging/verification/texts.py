"""The text message with a code of our own, in the visitor's language, and which languages Twilio's have."""

from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

# https://www.twilio.com/docs/verify/supported-languages; what is not among these is left to Twilio to choose.
TWILIO_LOCALES = frozenset({
    "af", "ar", "ca", "zh", "zh-CN", "zh-HK", "hr", "cs", "da", "nl", "en", "en-GB", "et", "fi", "fr", "de", "el",
    "he", "hi", "hu", "id", "it", "ja", "kn", "ko", "lt", "lv", "ms", "mr", "nb", "pl", "pt-BR", "pt", "ro", "ru",
    "sk", "es", "sv", "tl", "te", "th", "tr", "uk", "vi",
})  # fmt: skip
# Ours, in small letters, to Twilio's.
_TWILIO_NAMES = {
    **{locale.lower(): locale for locale in TWILIO_LOCALES},
    "zh-hans": "zh-CN",
    "zh-hant": "zh-HK",
    "zh-tw": "zh-HK",
    "zh-mo": "zh-HK",
    "zh-sg": "zh-CN",
    "no": "nb",
}
_CHINESE = {"zh": "zh-hans", "zh-cn": "zh-hans", "zh-sg": "zh-hans", "zh-hk": "zh-hant", "zh-tw": "zh-hant",
            "zh-mo": "zh-hant"}  # fmt: skip


def twilio_locale(language: str) -> str:
    """Return Twilio's name of a language, "" where it has none: then it goes by the number's country."""
    wanted = language.strip().replace("_", "-").lower()
    return _TWILIO_NAMES.get(wanted) or _TWILIO_NAMES.get(wanted.partition("-")[0], "")


def own_language(language: str) -> str:
    """Return the language our own text is written in: the one asked for where Django knows it, else English."""
    wanted = language.strip().replace("_", "-").lower()
    wanted = _CHINESE.get(wanted, wanted)
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return "en"


def code_text(code: str, *, name: str, language: str, is_platform: bool) -> str:
    """Return the SMS with a code: the organization's name, how long it holds, and that it is for nobody else.

    By platform SMS it ends with the line by which a browser on the same phone fills the code in
    (https://web.dev/articles/web-otp): the host it is for, and the code.
    """
    with translation.override(own_language(language)):
        text = _("%(code)s is your code for %(name)s. It works for 10 minutes. Share it with nobody.") % {
            "code": code,
            "name": name,
        }
    if is_platform and (host := urlsplit(settings.PUBLIC_BASE_URL).hostname):
        text += f"\n\n@{host} #{code}"
    return text
