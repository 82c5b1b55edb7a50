"""Names, companies and jobs of many countries, and one repeatable way to draw three hundred people from them.

Plain data and chance with a fixed seed; must not import Django or any app.
"""

from __future__ import annotations

import datetime as dt
import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SEED = 20
CONTACTS = 300


@dataclass(frozen=True)
class Country:
    """A country with what people and companies are called there."""

    code: str
    language: str
    timezone: str
    mobile: str
    first_names: Sequence[str]
    last_names: Sequence[str]
    companies: Sequence[str]


def _country(
    code: str, language: str, timezone: str, mobile: str, first: str, last: str, companies: str
) -> Country:
    return Country(code, language, timezone, mobile, first.split(), last.split(), companies.split(", "))


COUNTRIES = (
    _country(
        "NO", "nb", "Europe/Oslo", "+479{0:07d}",
        "Ingrid Lars Sølvi Øyvind Kari Bjørn Åse Magnus", "Hansen Ødegård Dahl Bakke Lunde Nygård Åsen Moen",
        "Fjellsport AS, Nordlys Reiser, Breidablikk Hytter, Sjøbris Kajakk, Tindetur, Vinterland Utstyr",
    ),
    _country(
        "SE", "sv", "Europe/Stockholm", "+467{0:08d}",
        "Åsa Erik Linnéa Björn Göran Malin Nils Elsa", "Lindström Öberg Sjögren Ek Nyström Åkesson Holm Falk",
        "Skogsstigen AB, Norrsken Outdoor, Vindskydd & Co, Kullaberg Klätter",
    ),
    _country(
        "DE", "de", "Europe/Berlin", "+4915{0:09d}",
        "Jürgen Anke Sören Käthe Lukas Greta Jörg Mareike", "Müller Weiß Schäfer Köhler Groß Brandt Krüger Voß",
        "Alpenglück GmbH, Wanderfalke Reisen, Böhm & Söhne, Gipfelstürmer, Rückenwind Räder, Zeltstadt Köln",
    ),
    _country(
        "FR", "fr", "Europe/Paris", "+336{0:08d}",
        "Zoé Étienne Chloé François Hélène Théo Maëlle Rémi", "Lefèvre Moreau Béranger Dupré Garnier Noël Roche Faure",
        "Sentiers d'Or, L'Échappée Belle, Montagne & Cie, Bivouac Lyon, Cap Évasion",
    ),
    _country(
        "ES", "es", "Europe/Madrid", "+346{0:08d}",
        "Íñigo Begoña Joaquín Lucía Andrés Núria Ángel Marta", "Muñoz Ibáñez Peña Gómez Castaño Vázquez Ríos León",
        "Cumbres Ibéricas, Viajes El Peñón, Mochila Roja, Río Bravo Kayak",
    ),
    _country(
        "IT", "it", "Europe/Rome", "+393{0:09d}",
        "Niccolò Giulia Zoè Matteo Chiara Dario Noemi Luca", "Rossi De Luca Bianchi Forlì Conti Sanna Galli Mazzà",
        "Vetta Libera, Sentiero Azzurro, Dolomiti Sport, Baita & Bosco",
    ),
    _country(
        "PL", "pl", "Europe/Warsaw", "+485{0:08d}",
        "Łukasz Małgorzata Paweł Żaneta Michał Zofia Sławomir Agnieszka",
        "Wójcik Kowalczyk Zieliński Wiśniewska Dąbrowski Mazur Lis Żak",
        "Szlak Górski, Tatry Trekking, Żagle Mazury, Dom Wędrowca",
    ),
    _country(
        "NL", "nl", "Europe/Amsterdam", "+316{0:08d}",
        "Sanne Daan Fleur Joris Anouk Thijs Lieke Bram", "Visser Bakker Mulder Smit Bos Dekker Vos Kuiper",
        "Waddenwind, De Trekvogel, Polder & Pad, Lage Landen Fietsen",
    ),
    _country(
        "GB", "en", "Europe/London", "+447{0:09d}",
        "Siân Alistair Freya Callum Niamh Rhys Imogen Declan", "O'Brien Hughes MacLeod Pryce Whitaker Byrne Shaw Lloyd",
        "Cairngorm Kit, Fell & Fern, The Long Walk Ltd, Harbour Paddle, Peak Provisions, Moorland Stays",
    ),
    _country(
        "US", "en", "America/Denver", "+1303555{0:04d}",
        "Maya Caleb Aaliyah Wyatt Naomi Diego Harper Jamal", "Johnson Nguyen Rivera Carter Brooks Patel Hayes Kim",
        "Front Range Gear, Big Sky Supply, Trailhead Collective, Canyon & Creek, Blue Mesa Travel, Sequoia Cabins",
    ),
    _country(
        "GR", "el", "Europe/Athens", "+3069{0:08d}",
        "Γιάννης Ελένη Νίκος Σοφία Δημήτρης Ξένια", "Παπαδάκης Ιωάννου Νικολάου Γεωργίου Αντωνίου Δήμου",
        "Όλυμπος Πεζοπορία, Αιγαίο Καγιάκ",
    ),
    _country(
        "JP", "ja", "Asia/Tokyo", "+8190{0:08d}",
        "陽子 健太 美咲 大輔 さくら 翔", "山田 佐藤 高橋 渡辺 小林 加藤",
        "山と渓流, 北海アウトドア, 富士トレイル",
    ),
)  # fmt: skip
JOBS = (
    "Head of Marketing", "Marketing Manager", "Purchasing Manager", "Store Manager", "Managing Director",
    "Product Manager", "Tour Guide", "Head of Sales", "Office Manager", "Buyer", "Founder", "E-commerce Manager",
)  # fmt: skip
# Latin spellings for addresses: email names are ASCII nearly everywhere.
_LATIN = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "æ": "ae", "đ": "d", "'": ""})


@dataclass(frozen=True)
class Workplace:
    """A company as it is drawn."""

    name: str
    country: Country
    domain: str
    category: str
    business: str
    customer_since: dt.date | None
    annual_revenue: int | None


@dataclass(frozen=True)
class Someone:
    """A person as they are drawn."""

    first_name: str
    last_name: str
    email: str
    mobile: str
    job_title: str
    country: Country
    company: str
    interests: Sequence[str]
    consent: bool | None
    newsletter: bool


CATEGORIES = ("Prospect", "Lead", "Customer", "Partner", "Former customer")
# These are values of the lists that every new tenant begins with (crm.operations.setup).
BUSINESSES = ("Retail", "Hospitality", "Services", "Education", "Transport", "Manufacturing")
INTERESTS = ("Product news", "Offers", "Events", "Webinars", "Sustainability")


def companies(today: dt.date) -> list[Workplace]:
    """Return the companies; `today` places the dates in the past."""
    chance = random.Random(SEED)
    drawn = []
    for country in COUNTRIES:
        for name in country.companies:
            category = chance.choices(CATEGORIES, weights=(40, 15, 30, 8, 7))[0]
            customer = category in {"Customer", "Partner", "Former customer"}
            since = today - dt.timedelta(days=chance.randint(40, 2400)) if customer else None
            revenue = chance.randrange(80_000, 9_000_000, 5_000) if chance.random() < 0.8 else None
            business = chance.choice(BUSINESSES)
            drawn.append(Workplace(name, country, _domain(name, country), category, business, since, revenue))
    return drawn


def people(at: Sequence[Workplace]) -> Iterator[Someone]:
    """Yield the people, each with an address of their own."""
    chance = random.Random(SEED + 1)
    taken: set[str] = set()
    for number in range(CONTACTS):
        company = chance.choice(at)
        country = company.country
        first, last = chance.choice(country.first_names), chance.choice(country.last_names)
        email = _address(first, last, company.domain, number, taken)
        yield Someone(
            first_name=first,
            last_name=last,
            email=email if chance.random() < 0.97 else "",
            mobile=_mobile(country, chance) if chance.random() < 0.6 else "",
            job_title=chance.choice(JOBS) if chance.random() < 0.9 else "",
            country=country,
            company=company.name,
            interests=chance.sample(INTERESTS, chance.choice((0, 1, 1, 2, 3))),
            consent=chance.choices((True, False, None), weights=(74, 8, 18))[0],
            newsletter=chance.random() < 0.93,
        )


def _mobile(country: Country, chance: random.Random) -> str:
    digits = int(country.mobile.split(":0")[1].split("d")[0])
    return country.mobile.format(chance.randrange(10 ** (digits - 1), 10**digits))


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LATIN))
    return "".join(c for c in plain if c.isascii() and (c.isalnum() or c in ".-"))


def _domain(name: str, country: Country) -> str:
    word = _ascii(name.split(",", maxsplit=1)[0].replace(" ", "-").replace("&", "and"))[:24].strip("-.")
    # Names of `.example` belong to nobody, so no mail of a trial can ever reach a person.
    return f"{word or country.code.lower() + str(len(name))}.{country.code.lower()}.example"


def _address(first: str, last: str, domain: str, number: int, taken: set[str]) -> str:
    name = ".".join(part for part in (_ascii(first), _ascii(last)) if part) or f"contact{number}"
    address = f"{name}@{domain}"
    while address in taken:
        address = f"{name}{number}@{domain}"
        number += 1
    taken.add(address)
    return address
