"""Words by which people of other languages opt out, come back, ask for help and confirm: presets to switch on.

English is always read, as Twilio reads it. Twilio knows the words below only where Advanced Opt-Out was set up with
them (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out), so their answers are ours to give. Only words
that nobody sends alone for another reason stand here: an opt-out by mistake silences somebody who still waits for news.
Accents and case do not matter; each is written as people write it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """The words of one language."""

    name: str
    stop: tuple[str, ...]
    start: tuple[str, ...]
    help: tuple[str, ...]
    yes: tuple[str, ...]


PRESETS: dict[str, Preset] = {
    "ar": Preset("Arabic", ("توقف", "إيقاف", "إلغاء الاشتراك"), ("ابدأ", "اشترك"), ("مساعدة",), ("نعم",)),
    "cs": Preset("Czech", ("zastavit", "odhlásit"), ("začít", "přihlásit"), ("pomoc",), ("ano",)),
    "da": Preset("Danish", ("afmeld",), ("tilmeld",), ("hjælp",), ("ja",)),
    "de": Preset("German", ("stopp", "abmelden", "abbestellen"), ("anmelden",), ("hilfe",), ("ja",)),
    "el": Preset("Greek", ("διακοπη", "στοπ"), ("εναρξη",), ("βοηθεια",), ("ναι",)),
    "es": Preset("Spanish", ("baja", "parar", "detener"), ("alta", "iniciar"), ("ayuda",), ("si",)),
    "fi": Preset("Finnish", ("lopeta", "seis"), ("aloita", "tilaa"), ("ohje", "apua"), ("kyllä",)),
    "fr": Preset("French", ("arrêt", "arrêter", "arrête", "désabonner"), ("reprendre", "abonner"), ("aide",), ("oui",)),
    "he": Preset("Hebrew", ("הסר", "הפסק", "עצור"), ("התחל",), ("עזרה",), ("כן",)),
    "hi": Preset("Hindi", ("रोकें", "बंद"), ("शुरू",), ("मदद", "सहायता"), ("हां", "हाँ")),
    "hu": Preset("Hungarian", ("leállít", "leiratkozás"), ("indít", "feliratkozás"), ("segítség",), ("igen",)),
    "id": Preset("Indonesian", ("berhenti",), ("mulai",), ("bantuan",), ("ya",)),
    "it": Preset("Italian", ("basta", "ferma", "disiscrivi"), ("inizia", "iscrivi"), ("aiuto",), ("si",)),
    "ja": Preset("Japanese", ("停止", "配信停止", "ストップ", "配信解除"), ("開始", "再開"), ("ヘルプ",), ("はい",)),
    "ko": Preset("Korean", ("중지", "수신거부", "거부", "정지"), ("시작",), ("도움말",), ("예", "네")),
    "nl": Preset("Dutch", ("stoppen", "afmelden", "uitschrijven"), ("aanmelden",), ("hulp",), ("ja",)),
    "no": Preset("Norwegian", ("stopp", "avmeld"), ("påmeld",), ("hjelp",), ("ja",)),
    "pl": Preset("Polish", ("rezygnuję", "wypisz"), ("wznów", "zapisz"), ("pomoc",), ("tak",)),
    "pt": Preset("Portuguese", ("parar", "sair", "pare"), ("iniciar",), ("ajuda",), ("sim",)),
    "ro": Preset("Romanian", ("dezabonare", "oprire"), ("abonare",), ("ajutor",), ("da",)),
    "ru": Preset("Russian", ("стоп", "отписаться", "отписка"), ("старт", "подписаться"), ("помощь",), ("да",)),
    "sv": Preset("Swedish", ("stopp", "avsluta", "avregistrera"), ("starta",), ("hjälp",), ("ja",)),
    "th": Preset("Thai", ("หยุด",), ("เริ่ม",), ("ช่วยเหลือ",), ("ใช่",)),
    "tr": Preset("Turkish", ("dur", "durdur"), ("başla", "başlat"), ("yardım",), ("evet",)),
    "uk": Preset("Ukrainian", ("стоп", "відписатися"), ("старт", "підписатися"), ("допомога",), ("так",)),
    "vi": Preset("Vietnamese", ("dừng", "ngừng"), ("bắt đầu",), ("trợ giúp",), ("có",)),
    "zh": Preset(
        "Chinese", ("停止", "退订", "退訂", "td"), ("开始", "開始", "订阅", "訂閱"), ("帮助", "幫助"), ("是", "好")
    ),
}
