"""What an import can take from a file: the names its columns may bear, in several languages."""

from collections.abc import Sequence

from integrations.organizations.models import Organization
from messaging.contacts.attributes import definitions_of
from messaging.csv_files.columns import NAME_NAMES, FieldSpec, looks_like_email, phone_field

from .models import ContactImport

ATTRIBUTE = "attribute_"

_OTHERS = (
    FieldSpec(key="name", label="Name", names=NAME_NAMES, help="Or the first name, where the last one stands apart."),
    FieldSpec(
        key="last_name",
        label="Last name",
        names=("surname", "family name", "nachname", "familienname", "nom de famille", "apellido", "apellidos",
               "cognome", "sobrenome", "achternaam", "фамилия", "nazwisko", "soyad", "soyadı", "efternamn",
               "etternavn", "姓"),
    ),
    FieldSpec(
        key="email",
        label="E-mail",
        names=("email", "mail", "email address", "e mail address", "e mail adresse", "correo", "correo electrónico",
               "courriel", "adresse e mail", "posta elettronica", "邮箱", "电子邮件", "電子郵件", "メール",
               "メールアドレス", "이메일", "электронная почта", "почта"),
        looks_right=looks_like_email,
    ),
    FieldSpec(
        key="language",
        label="Language",
        names=("lang", "locale", "sprache", "langue", "idioma", "lingua", "taal", "язык", "语言", "語言", "言語",
               "언어"),
        help="A code like de, or the name.",
    ),
    FieldSpec(
        key="time_zone",
        label="Time zone",
        names=("timezone", "tz", "zeitzone", "fuseau horaire", "zona horaria", "часовой пояс", "时区", "時區"),
        help="Such as Europe/Berlin. Left out, it follows from the number.",
    ),
    FieldSpec(
        key="tags",
        label="Tags",
        names=("tag", "labels", "groups", "group", "schlagworte", "gruppe", "gruppen", "étiquettes", "etiquetas",
               "группы", "标签", "標籤", "タグ", "分组"),
        help="Several with commas between them; they are added to those that stand.",
    ),
    FieldSpec(
        key="notes",
        label="Notes",
        names=("note", "comment", "comments", "remarks", "notiz", "notizen", "bemerkung", "remarques", "notas",
               "примечание", "заметки", "备注", "備註", "メモ", "비고"),
    ),
    FieldSpec(
        key="opted_out",
        label="Opted out",
        names=("opt out", "optout", "unsubscribed", "do not contact", "dnc", "abgemeldet", "désabonné", "退订", "退訂"),
        help="“Yes” opts the number out of everything. Nothing in a file ends an opt-out.",
    ),
)  # fmt: skip
CONSENT_NAMES = (
    "marketing consent", "consent", "opt in", "optin", "subscribed", "newsletter", "marketing", "einwilligung",
    "consentement", "consentimiento", "consenso", "согласие", "同意",
)  # fmt: skip


def import_fields(organization: Organization, *, kind: str, region: str = "") -> Sequence[FieldSpec]:
    """Return what the import asks for; of opt-outs nothing but the number is taken."""
    phone = phone_field(region=region or organization.default_region)
    if kind == ContactImport.Kind.OPT_OUTS:
        return (phone,)
    own = (
        FieldSpec(
            key=f"{ATTRIBUTE}{definition.key}",
            label=definition.label,
            names=(definition.key,),
            help=f"Your attribute: {definition.get_kind_display().lower()}.",
        )
        for definition in definitions_of(organization)
    )
    return (phone, *_OTHERS, *own)
