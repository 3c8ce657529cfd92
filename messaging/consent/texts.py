"""Our own words to recipients: answers to keywords, and the question that asks to confirm consent.

Each is one segment with a name of up to 30 letters, in Latin scripts of the GSM-7 alphabet. An organization may write
its own in its policy; those are sent as written.
"""

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact

from .models import ConsentPolicy

_TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "stop": "{organization}: You are unsubscribed and get no more messages. Reply START to get them again.",
        "start": "{organization}: You get our messages again. Reply STOP to get no more.",
        "help": "{organization}: Reply STOP to get no more messages, START to get them again. "
        "Message and data rates may apply.",
        "question": "{organization}: Would you like news and offers by SMS? Reply YES to agree. "
        "You can stop them at any time with STOP.",
        "unsubscribe": "Unsubscribe: {link}",
    },
    "de": {
        "stop": "{organization}: Sie sind abgemeldet und erhalten keine Nachrichten mehr. Mit START melden Sie sich "
        "wieder an.",
        "start": "{organization}: Sie erhalten wieder Nachrichten. Mit STOP melden Sie sich ab.",
        "help": "{organization}: Mit STOP erhalten Sie keine Nachrichten mehr, mit START wieder.",
        "question": "{organization}: Möchten Sie Neuigkeiten und Angebote per SMS? Antworten Sie JA. "
        "Abmelden können Sie sich jederzeit mit STOP.",
        "unsubscribe": "Abmelden: {link}",
    },
    "fr": {
        "stop": "{organization} : vous êtes désabonné et ne recevrez plus de messages. Répondez START pour en recevoir "
        "de nouveau.",
        "start": "{organization} : vous recevez de nouveau nos messages. Répondez STOP pour ne plus en recevoir.",
        "help": "{organization} : répondez STOP pour ne plus recevoir de messages, START pour en recevoir de nouveau.",
        "question": "{organization} : souhaitez-vous nos nouvelles et offres par SMS ? Répondez OUI. STOP pour "
        "arrêter, à tout moment.",
        "unsubscribe": "Désinscription : {link}",
    },
    "es": {
        "stop": "{organization}: ya no recibirá más mensajes. Responda START para volver a recibirlos.",
        "start": "{organization}: vuelve a recibir nuestros mensajes. Responda STOP para no recibir más.",
        "help": "{organization}: responda STOP para no recibir más mensajes, START para volver a recibirlos.",
        "question": "{organization}: ¿Desea recibir noticias y ofertas por SMS? Responda SI. Puede pararlos cuando "
        "quiera con STOP.",
        "unsubscribe": "Baja: {link}",
    },
    "zh": {
        "stop": "{organization}:您已退订,不会再收到信息。回复 START 可重新订阅。",
        "start": "{organization}:您已重新订阅。回复 STOP 可退订。",
        "help": "{organization}:回复 STOP 退订,回复 START 重新订阅。",
        "question": "{organization}:您是否同意通过短信接收资讯和优惠?同意请回复“是”。回复 STOP 可随时退订。",
        "unsubscribe": "退订:{link}",
    },
}
_OWN_FIELD = {"stop": "stop_text", "start": "start_text", "help": "help_text", "question": "double_opt_in_text"}
DEFAULTS = _TEXTS["en"]


def text_for(
    kind: str, *, organization: Organization, policy: ConsentPolicy, contact: Contact | None = None, link: str = ""
) -> str:
    """Return the organization's own text, or ours in the contact's language, the organization's, or English."""
    own = getattr(policy, _OWN_FIELD[kind]) if kind in _OWN_FIELD else ""
    if own:
        return str(own)
    texts = _TEXTS[_language(organization, contact)]
    return texts[kind].format(organization=organization.name[:60], link=link)


def _language(organization: Organization, contact: Contact | None) -> str:
    for language in (contact.language if contact else "", organization.language):
        if (short := language.split("-")[0].lower()) in _TEXTS:
            return short
    return "en"
