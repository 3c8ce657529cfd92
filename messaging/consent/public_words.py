"""The words of the public unsubscribe page, in the languages it speaks; a visitor's browser says which."""

from django.utils.translation.trans_real import parse_accept_lang_header

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Messages from {name}",
        "question": "Stop messages from {name}?",
        "what": "{name} will send no more messages to your number {phone}. A code that you ask for "
        "yourself still comes.",
        "stop": "Stop messages",
        "stopped": "You get no more messages",
        "stopped_what": "{name} sends no more messages to your number {phone}.",
        "again": "I want messages again",
        "only_start": "To get messages again, text START to the number that wrote to you.",
        "invalid": "This link is not valid",
        "invalid_what": "It may be incomplete. Open it from the message itself, or reply STOP to the message.",
        "wait": "Too many tries. Wait ten minutes, then open the link from the message again.",
    },
    "de": {
        "title": "Nachrichten von {name}",
        "question": "Nachrichten von {name} abbestellen?",
        "what": "{name} schickt dann keine Nachrichten mehr an Ihre Nummer {phone}. Ein Code, den Sie selbst "
        "anfordern, kommt weiterhin.",
        "stop": "Nachrichten abbestellen",
        "stopped": "Sie erhalten keine Nachrichten mehr",
        "stopped_what": "{name} schickt keine Nachrichten mehr an Ihre Nummer {phone}.",
        "again": "Ich möchte wieder Nachrichten",
        "only_start": "Für neue Nachrichten schicken Sie START an die Nummer, die Ihnen geschrieben hat.",
        "invalid": "Dieser Link gilt nicht",
        "invalid_what": "Vielleicht ist er unvollständig. Öffnen Sie ihn aus der Nachricht, oder antworten Sie STOP.",
        "wait": "Zu viele Versuche. Warten Sie zehn Minuten und öffnen Sie den Link dann aus der Nachricht.",
    },
    "fr": {
        "title": "Messages de {name}",
        "question": "Ne plus recevoir de messages de {name} ?",
        "what": "{name} n’enverra plus de messages à votre numéro {phone}. Un code que vous demandez vous-même "
        "arrivera toujours.",
        "stop": "Ne plus recevoir de messages",
        "stopped": "Vous ne recevez plus de messages",
        "stopped_what": "{name} n’envoie plus de messages à votre numéro {phone}.",
        "again": "Je veux de nouveau des messages",
        "only_start": "Pour en recevoir de nouveau, envoyez START au numéro qui vous a écrit.",
        "invalid": "Ce lien n’est pas valable",
        "invalid_what": "Il est peut-être incomplet. Ouvrez-le depuis le message, ou répondez STOP au message.",
        "wait": "Trop d’essais. Attendez dix minutes, puis rouvrez le lien depuis le message.",
    },
    "es": {
        "title": "Mensajes de {name}",
        "question": "¿Dejar de recibir mensajes de {name}?",
        "what": "{name} no enviará más mensajes a su número {phone}. Un código que usted mismo pida seguirá llegando.",
        "stop": "No recibir más mensajes",
        "stopped": "Ya no recibe mensajes",
        "stopped_what": "{name} ya no envía mensajes a su número {phone}.",
        "again": "Quiero recibir mensajes de nuevo",
        "only_start": "Para recibirlos de nuevo, envíe START al número que le escribió.",
        "invalid": "Este enlace no es válido",
        "invalid_what": "Quizá esté incompleto. Ábralo desde el mensaje, o responda STOP al mensaje.",
        "wait": "Demasiados intentos. Espere diez minutos y abra de nuevo el enlace desde el mensaje.",
    },
    "zh": {
        "title": "{name}的信息",
        "question": "停止接收{name}的信息？",
        "what": "{name}将不再向您的号码 {phone} 发送信息。您自己请求的验证码仍会发送。",
        "stop": "停止接收信息",
        "stopped": "您已停止接收信息",
        "stopped_what": "{name}不再向您的号码 {phone} 发送信息。",
        "again": "我想重新接收信息",
        "only_start": "如需重新接收，请向给您发信息的号码回复 START。",
        "invalid": "此链接无效",
        "invalid_what": "链接可能不完整。请从信息中打开，或回复 STOP。",
        "wait": "尝试次数过多。请等待十分钟，然后从信息中重新打开链接。",
    },
}


def language_of(accept_language: str) -> str:
    """Return the language to speak, by what the browser asks for; English where it asks for none of ours."""
    for code, weight in parse_accept_lang_header(accept_language[:200].lower()):
        short = code.split("-")[0]
        if weight > 0 and short in WORDS:
            return short
    return "en"
