"""The SMS of a portal: which kinds there are, what each may say, and its words in every language.

An organization writes its own (`PortalText`) where it wants to; our words are sent otherwise.
"""

from collections.abc import Mapping

from django.db import transaction

from integrations.organizations.audit import record
from integrations.organizations.models import User
from messaging.templates.rendering import TemplateProblem, clean_text, parse, render
from messaging.templates.segments import LONGEST_TEXT
from portal.forms.public.languages import LANGUAGES

from .addresses import address_of
from .models import Portal, PortalText

Kind = PortalText.Kind

SENTENCES = {
    "portal.text_changed": "wrote the text “{kind}” ({language}) of the portal {which}",
    "portal.text_reset": "took our words back for the text “{kind}” ({language}) of the portal {which}",
}
# What each kind may say. `link` leads to the portal, or is the invitation's own.
VARIABLES: dict[str, tuple[str, ...]] = {
    Kind.INVITATION: ("portal", "organization", "name", "link"),
    Kind.REMINDER: ("portal", "organization", "name", "link"),
    Kind.APPROVED: ("portal", "organization", "name", "link"),
    Kind.REJECTED: ("portal", "organization", "name", "link", "reason"),
    Kind.NOTIFICATION: ("portal", "organization", "name", "link", "text"),
    Kind.NEW_LOGIN: ("portal", "organization", "name", "link", "device"),
}
ABOUT_VARIABLES: dict[str, str] = {
    "portal": "the portal’s name",
    "organization": "your organization’s name",
    "name": "the person’s name, where it is known",
    "link": "the address to open",
    "reason": "the reason that you give",
    "text": "what you write in the notification",
    "device": "browser and system of the login",
}
# Without these, a text would be of no use.
REQUIRED: dict[str, str] = {Kind.INVITATION: "link", Kind.REMINDER: "link", Kind.NOTIFICATION: "text"}
# These are not known of everybody: a text needs words for who has none.
NEEDS_FALLBACK: dict[str, str] = {"name": "there", "reason": "", "device": "another device"}
# An invitation has a link of its own, which opens for one number.
_OWN_LINK = frozenset({Kind.INVITATION, Kind.REMINDER})

# Worded so that the Latin ones stay in GSM-7 (no ç, ê, á, í …), whose segments hold twice as much.
_OURS: dict[str, dict[str, str]] = {
    Kind.INVITATION: {
        "en": "{{ organization }} invites you to {{ portal }}. Register here: {{ link }}",
        "zh-hans": "{{ organization }}邀请您加入{{ portal }}，请点此注册：{{ link }}",
        "zh-hant": "{{ organization }}邀請您加入{{ portal }}，請按此註冊：{{ link }}",
        "nl": "{{ organization }} nodigt u uit voor {{ portal }}. Registreer u hier: {{ link }}",
        "de": "{{ organization }} lädt Sie zu {{ portal }} ein. Hier registrieren: {{ link }}",
        "es": "{{ organization }} le invita a {{ portal }}. Para registrarse: {{ link }}",
        "fr": "{{ organization }} vous invite sur {{ portal }}. Inscrivez-vous ici : {{ link }}",
        "ar": "تدعوك {{ organization }} إلى {{ portal }}. سجّل هنا: {{ link }}",
    },
    Kind.REMINDER: {
        "en": "Reminder: {{ organization }} invited you to {{ portal }}. Your invitation still holds: {{ link }}",
        "zh-hans": "提醒：{{ organization }}邀请您加入{{ portal }}，邀请仍然有效：{{ link }}",
        "zh-hant": "提醒：{{ organization }}邀請您加入{{ portal }}，邀請仍然有效：{{ link }}",
        "nl": "Herinnering: {{ organization }} nodigt u uit voor {{ portal }}. Uw uitnodiging geldt nog: {{ link }}",
        "de": "Erinnerung: {{ organization }} lädt Sie zu {{ portal }} ein. Die Einladung gilt noch: {{ link }}",
        "es": "Recordatorio: {{ organization }} le invita a {{ portal }}. Su enlace sigue vigente: {{ link }}",
        "fr": "Rappel : {{ organization }} vous invite sur {{ portal }}. Votre lien reste valable : {{ link }}",
        "ar": "تذكير: تدعوك {{ organization }} إلى {{ portal }}. ما زالت الدعوة صالحة: {{ link }}",
    },
    Kind.APPROVED: {
        "en": "{{ organization }} approved your registration for {{ portal }}. Log in here: {{ link }}",
        "zh-hans": "{{ organization }}已批准您注册{{ portal }}，请登录：{{ link }}",
        "zh-hant": "{{ organization }}已核准您註冊{{ portal }}，請登入：{{ link }}",
        "nl": "{{ organization }} heeft uw registratie voor {{ portal }} goedgekeurd. Log hier in: {{ link }}",
        "de": "{{ organization }} hat Ihre Registrierung für {{ portal }} freigegeben. Zur Anmeldung: {{ link }}",
        "es": "{{ organization }} ha aprobado su registro en {{ portal }}. Para entrar: {{ link }}",
        "fr": "{{ organization }} a accepté votre inscription sur {{ portal }}. Pour entrer : {{ link }}",
        "ar": "وافقت {{ organization }} على تسجيلك في {{ portal }}. للدخول: {{ link }}",
    },
    Kind.REJECTED: {
        "en": '{{ organization }} did not approve your registration for {{ portal }}. {{ reason | "" }}',
        "zh-hans": '{{ organization }}未批准您注册{{ portal }}。{{ reason | "" }}',
        "zh-hant": '{{ organization }}未核准您註冊{{ portal }}。{{ reason | "" }}',
        "nl": '{{ organization }} heeft uw registratie voor {{ portal }} niet goedgekeurd. {{ reason | "" }}',
        "de": '{{ organization }} hat Ihre Registrierung für {{ portal }} nicht freigegeben. {{ reason | "" }}',
        "es": '{{ organization }} no ha aprobado su registro en {{ portal }}. {{ reason | "" }}',
        "fr": '{{ organization }} n\'a pas accepté votre inscription sur {{ portal }}. {{ reason | "" }}',
        "ar": 'لم توافق {{ organization }} على تسجيلك في {{ portal }}. {{ reason | "" }}',
    },
    Kind.NOTIFICATION: {
        "en": "{{ portal }}: {{ text }}",
        "zh-hans": "{{ portal }}：{{ text }}",
        "zh-hant": "{{ portal }}：{{ text }}",
        "nl": "{{ portal }}: {{ text }}",
        "de": "{{ portal }}: {{ text }}",
        "es": "{{ portal }}: {{ text }}",
        "fr": "{{ portal }} : {{ text }}",
        "ar": "{{ portal }}: {{ text }}",
    },
    Kind.NEW_LOGIN: {
        "en": '{{ portal }}: new login on {{ device | "another device" }}. '
        "Was it not you? Log out on all devices: {{ link }}",
        "zh-hans": '{{ portal }}：您的账户在{{ device | "另一台设备" }}上登录。'
        "如非本人操作，请退出所有设备：{{ link }}",
        "zh-hant": '{{ portal }}：您的帳戶在{{ device | "另一部裝置" }}上登入。'
        "如非本人操作，請登出所有裝置：{{ link }}",
        "nl": '{{ portal }}: nieuwe login op {{ device | "een ander apparaat" }}. '
        "Was u dit niet? Log uit op alle apparaten: {{ link }}",
        "de": '{{ portal }}: neue Anmeldung mit {{ device | "einem anderen Gerät" }}. '
        "Waren Sie das nicht? Melden Sie alle Geräte ab: {{ link }}",
        "es": '{{ portal }}: nuevo acceso desde {{ device | "otro dispositivo" }}. '
        "¿No fue usted? Cierre todas las sesiones: {{ link }}",
        "fr": '{{ portal }} : nouvelle connexion depuis {{ device | "un autre appareil" }}. '
        "Ce n'est pas vous ? Fermez toutes les sessions : {{ link }}",
        "ar": '{{ portal }}: دخول جديد من {{ device | "جهاز آخر" }}. لست أنت؟ سجّل الخروج من كل الأجهزة: {{ link }}',
    },
}


class TextRefused(Exception):
    """A text that cannot be kept; the sentence says what to change."""


def ours(kind: str, language: str) -> str:
    """Return our own words, in English where we do not speak the language."""
    return _OURS[kind].get(language, _OURS[kind]["en"])


def body_of(portal: Portal, kind: str, language: str) -> str:
    """Return what is sent to somebody who reads that language.

    The organization's words in it, else its words in the portal's first language, else ours in the person's.
    """
    first = first_language(portal)
    written = dict(portal.texts.filter(kind=kind, language__in={language, first}).values_list("language", "body"))
    return written.get(language) or written.get(first) or ours(kind, language if language in LANGUAGES else first)


def words(portal: Portal, kind: str, language: str, values: Mapping[str, object] | None = None) -> str:
    """Return the text as it is sent; raise TemplateProblem, for example where an invitation comes without its link."""
    return render(parse(body_of(portal, kind, language)), usual_values(portal, kind) | dict(values or {})).strip()


def usual_values(portal: Portal, kind: str) -> dict[str, object]:
    """Return what every text of the kind can say without being told."""
    known: dict[str, object] = {"portal": portal.name, "organization": portal.organization.name}
    return known if kind in _OWN_LINK else known | {"link": address_of(portal)}


def sample_values(portal: Portal, kind: str) -> dict[str, str]:
    """Return a value for each variable of the kind, as long as real ones are, for a preview."""
    values = {
        "portal": portal.name,
        "organization": portal.organization.name,
        "name": "Amina Diallo",
        "link": address_of(portal, f"i/{'x' * 16}" if kind in _OWN_LINK else ""),
        "reason": "We know no driver of this name.",
        "text": "Gate 4 is closed on Friday.",
        "device": "Firefox on Android",
    }
    return {name: values[name] for name in VARIABLES[kind]}


def first_language(portal: Portal) -> str:
    """Return the language that the portal's own words are in."""
    return next((code for code in portal.form.languages if code in LANGUAGES), "en")


def check_body(kind: str, body: str) -> str:
    """Return an organization's own words as they are kept; raise TextRefused."""
    body = clean_text(body).strip()
    if not body:
        raise TextRefused("Write a text, or take our words.")
    if len(body) > LONGEST_TEXT:
        raise TextRefused(f"An SMS has at most {LONGEST_TEXT:,} characters; this has {len(body):,}. Shorten it.")
    try:
        variables = parse(body).variables
    except TemplateProblem as problem:
        raise TextRefused(str(problem)) from problem
    for variable in variables:
        if variable.name not in VARIABLES[kind]:
            known = ", ".join(f"{{{{ {name} }}}}" for name in VARIABLES[kind])
            raise TextRefused(f"{{{{ {variable.name} }}}} is not known here. This text may say {known}.")
        if variable.name in NEEDS_FALLBACK and not variable.has_fallback:
            example = f'{{{{ {variable.name} | "{NEEDS_FALLBACK[variable.name]}" }}}}'
            raise TextRefused(f"The {variable.name} is not always known. Say what stands there then: {example}.")
    needed = REQUIRED.get(kind)
    if needed and needed not in {variable.name for variable in variables}:
        raise TextRefused(f"Put {{{{ {needed} }}}} into this text: without it nobody could use it.")
    return body


def write_text(portal: Portal, *, kind: str, language: str, body: str, actor: User, ip: str = "") -> bool:
    """Keep an organization's own words for one kind and language; False where nothing differs. Raise TextRefused."""
    body = check_body(kind, body)
    if body == ours(kind, language):
        return take_ours(portal, kind=kind, language=language, actor=actor, ip=ip)
    with transaction.atomic():
        # Locked, so that of two members who save at once one follows the other.
        Portal.objects.select_for_update(no_key=True).only("pk").get(pk=portal.pk)
        written = portal.texts.filter(kind=kind, language=language).first()
        if written is not None and written.body == body:
            return False
        portal.texts.update_or_create(kind=kind, language=language, defaults={"body": body})
        _tell(portal, "portal.text_changed", kind=kind, language=language, actor=actor, ip=ip)
    return True


def take_ours(portal: Portal, *, kind: str, language: str, actor: User, ip: str = "") -> bool:
    """Send our words again; False where they were sent already."""
    with transaction.atomic():
        count, _ = portal.texts.filter(kind=kind, language=language).delete()
        if count:
            _tell(portal, "portal.text_reset", kind=kind, language=language, actor=actor, ip=ip)
    return bool(count)


def _tell(portal: Portal, action: str, *, kind: str, language: str, actor: User, ip: str) -> None:
    changes = {"kind": Kind(kind).label, "language": LANGUAGES[language].name}
    record(portal.organization, actor=actor, action=action, target=portal, changes=changes, ip=ip)
