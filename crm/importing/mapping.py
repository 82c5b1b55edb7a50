"""Which column goes into which field: what there is to choose, and the guess from the usual headers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.text import norm
from crm.bulk.targets import Target, custom_target, targets
from crm.criteria.fields import COMPANY, CONSENT, CONTACT
from crm.models import CustomField

EMAIL, FULL_NAME, COMPANY_NAME = "contact.email", "contact.full_name", "company.name"
CONSENT_KEY = "consent.e-marketing"
LEAVE_OUT = ""

# Headers as people write them (English, German, Norwegian, Swedish, Danish, French, Dutch, Spanish, Italian,
# Portuguese, Polish, Finnish, Czech), compared without case, blanks and signs.
_HEADERS: dict[str, str] = {
    "contact.first_name": "first name|firstname|given name|forename|vorname|fornavn|förnamn|prénom|prenom|"
    "voornaam|nombre|nome|imię|imie|etunimi|jméno|jmeno|christian name|fname",
    "contact.last_name": "last name|lastname|surname|family name|nachname|familienname|etternavn|efternamn|efternavn|"
    "nom|nom de famille|achternaam|apellido|apellidos|cognome|sobrenome|nazwisko|sukunimi|příjmení|prijmeni|lname",
    FULL_NAME: "name|full name|contact|contact name|person|navn|fullt navn|namn|naam|nom complet|nombre completo|"
    "nome completo|imię i nazwisko|nimi|ansprechpartner|kontaktperson",
    EMAIL: "e-mail|email|e-mail address|email address|mail|mail address|e-postadresse|e-post|epost|epostadresse|"
    "e-postadress|correo|correo electrónico|courriel|adresse e-mail|adresse mail|e-mailadres|e-mail-adresse|"
    "emailadresse|posta elettronica|sähköposti|adres e-mail|emailová adresa|correio eletrónico",
    "contact.mobile": "mobile|mobile phone|mobile number|cell|cell phone|cellphone|handy|handynummer|mobil|"
    "mobiltelefon|mobilnummer|mobilnr|portable|téléphone mobile|mobiel|mobiele telefoon|móvil|"
    "teléfono móvil|cellulare|telemóvel|"
    "celular|komórka|telefon komórkowy|matkapuhelin|mobilní telefon",
    "contact.phone": "phone|telephone|phone number|tel|telefon|telefonnummer|tlf|téléphone|telefoon|teléfono|telefono|"
    "telefone|puhelin|work phone|business phone|direct phone",
    COMPANY_NAME: "company|company name|organisation|organization|account|employer|firma|firmenname|unternehmen|"
    "bedrift|selskap|firmanavn|företag|virksomhed|société|entreprise|bedrijf|bedrijfsnaam|empresa|compañía|azienda|società|"
    "yritys|společnost|organisasjon|organisationsname",
    "contact.job_title": "job title|title|position|role|function|jobtitel|position im unternehmen|stilling|"
    "stillingstittel|tittel|titel|yrkestitel|befattning|poste|fonction|functie|functietitel|cargo|puesto|ruolo|"
    "qualifica|stanowisko|tehtävänimike|pozice|berufsbezeichnung",
    "contact.category": "category|kategorie|kategori|catégorie|categorie|categoría|categoria|kategoria|luokka|"
    "customer type|lifecycle stage|status|kundetype",
    "contact.business": "business|industry|sector|branche|bransje|bransch|secteur|sector de actividad|settore|branża|"
    "toimiala|odvětví",
    "contact.country": "country|land|pays|país|pais|paese|kraj|maa|země|country code|ländercode|landkode",
    "contact.language": "language|sprache|språk|sprog|langue|taal|idioma|lingua|język|kieli|jazyk|locale",
    "contact.timezone": "timezone|time zone|zeitzone|tidssone|tidszon|tidszone|fuseau horaire|tijdzone|zona horaria",
    "contact.date_of_birth": "date of birth|birthday|birth date|dob|geburtsdatum|geburtstag|fødselsdato|fødselsdag|"
    "bursdag|födelsedatum|födelsedag|date de naissance|geboortedatum|fecha de nacimiento|data di nascita|"
    "data de nascimento|data urodzenia|syntymäaika|datum narození",
    "contact.our_contact": "our contact|owner|account manager|sales rep|sales contact|account owner|contact owner|"
    "betreuer|vår kontakt|kontaktansvarlig|vår kontaktperson|vores kontakt|responsable|contactpersoon|opiekun",
    "contact.service_contact": "service contact|support contact|kundendienst|servicekontakt|supportkontakt",
    "contact.interests": "interests|interest|interessen|interesser|intressen|intérêts|interesses|intereses|interessi|"
    "zainteresowania|kiinnostukset|zájmy|topics",
    "contact.former_employee": "former employee|left company|sluttet|ehemaliger mitarbeiter|slutat|inactive",
    CONSENT_KEY: "e-marketing consent|consent|marketing consent|email consent|opt-in|optin|gdpr consent|newsletter|"
    "einwilligung|samtykke|samtycke|consentement|toestemming|consentimiento|consenso|zgoda|suostumus|souhlas|"
    "subscribed|email opt-in|accepts marketing",
    "company.phone": "company phone|switchboard|main phone|sentralbord|växel|firmentelefon",
    "company.website": "website|web|homepage|url|web site|webseite|hjemmeside|nettside|hemsida|site web|sitio web",
    "company.country": "company country|firmenland|bedriftens land",
}


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """Something that a column can be read into; `target` is None for names, company and consent."""

    key: str
    label: str
    group: str
    target: Target | None = None


def import_targets() -> list[ImportTarget]:
    """Return what a column may be read into, in the order of the menu. One query."""
    special = [
        ImportTarget(FULL_NAME, "Full name", CONTACT),
        ImportTarget(COMPANY_NAME, "Company name", COMPANY),
        ImportTarget(CONSENT_KEY, "E-marketing consent", CONSENT),
    ]
    found = [ImportTarget(t.key, t.label, t.group, t) for t in targets()]
    order = (CONTACT, COMPANY, CONSENT)
    return sorted([*special, *found], key=lambda one: order.index(one.group))


def custom_field_target(field: CustomField) -> ImportTarget:
    """Return the target of a custom field."""
    target = custom_target(field)
    return ImportTarget(target.key, target.label, target.group, target)


def _plain(header: str) -> str:
    return re.sub(r"[^\w]+", "", norm(header)).replace("_", "")


_GUESSES = {_plain(name): key for key, names in _HEADERS.items() for name in names.split("|")}


def guess_mapping(headers: Sequence[str], choices: Sequence[ImportTarget]) -> dict[str, str]:
    """Return column number (as text) → key, each key once; what is not recognised is left out.

    The tenant's own labels go before the usual words.
    """
    own = {_plain(choice.label): choice.key for choice in choices}
    known = {choice.key for choice in choices}
    taken: set[str] = set()
    mapping = {}
    for index, header in enumerate(headers):
        plain = _plain(header)
        key = own.get(plain) or _GUESSES.get(plain, LEAVE_OUT)
        if key not in known or key in taken:
            key = LEAVE_OUT
        taken.add(key or f"column {index}")
        mapping[str(index)] = key
    return mapping


def mapping_problems(mapping: Mapping[str, str], choices: Sequence[ImportTarget]) -> list[str]:
    """Return what stops an import with this mapping."""
    known = {choice.key: choice.label for choice in choices}
    chosen = [key for key in mapping.values() if key]
    problems = [
        f"{known[key]} is chosen for several columns."
        for key in sorted(set(chosen))
        if chosen.count(key) > 1 and key in known
    ]
    if any(key not in known for key in chosen):
        problems.append("A chosen field does not exist any more.")
    if not set(chosen) & {EMAIL, FULL_NAME, "contact.first_name", "contact.last_name"}:
        problems.append("Choose a column for the email address or the name: a contact needs one of them.")
    return problems
