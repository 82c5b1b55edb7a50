"""Countries (ISO 3166-1) and languages (as Django knows them), by code. Pure data."""

from __future__ import annotations

import zoneinfo
from functools import cache, lru_cache

from django.conf.locale import LANG_INFO

from core.text import norm

_COUNTRIES = """
AF Afghanistan;AX Åland Islands;AL Albania;DZ Algeria;AS American Samoa;AD Andorra;AO Angola;AI Anguilla;AQ Antarctica
AG Antigua and Barbuda;AR Argentina;AM Armenia;AW Aruba;AU Australia;AT Austria;AZ Azerbaijan;BS Bahamas;BH Bahrain
BD Bangladesh;BB Barbados;BY Belarus;BE Belgium;BZ Belize;BJ Benin;BM Bermuda;BT Bhutan;BO Bolivia
BQ Caribbean Netherlands;BA Bosnia and Herzegovina;BW Botswana;BV Bouvet Island;BR Brazil
IO British Indian Ocean Territory;BN Brunei;BG Bulgaria;BF Burkina Faso;BI Burundi;KH Cambodia;CM Cameroon;CA Canada
CV Cape Verde;KY Cayman Islands;CF Central African Republic;TD Chad;CL Chile;CN China;CX Christmas Island
CC Cocos Islands;CO Colombia;KM Comoros;CG Congo;CD Congo (Democratic Republic);CK Cook Islands;CR Costa Rica
CI Côte d'Ivoire;HR Croatia;CU Cuba;CW Curaçao;CY Cyprus;CZ Czechia;DK Denmark;DJ Djibouti;DM Dominica
DO Dominican Republic;EC Ecuador;EG Egypt;SV El Salvador;GQ Equatorial Guinea;ER Eritrea;EE Estonia;SZ Eswatini
ET Ethiopia;FK Falkland Islands;FO Faroe Islands;FJ Fiji;FI Finland;FR France;GF French Guiana;PF French Polynesia
TF French Southern Territories;GA Gabon;GM Gambia;GE Georgia;DE Germany;GH Ghana;GI Gibraltar;GR Greece;GL Greenland
GD Grenada;GP Guadeloupe;GU Guam;GT Guatemala;GG Guernsey;GN Guinea;GW Guinea-Bissau;GY Guyana;HT Haiti
HM Heard and McDonald Islands;VA Vatican City;HN Honduras;HK Hong Kong;HU Hungary;IS Iceland;IN India;ID Indonesia
IR Iran;IQ Iraq;IE Ireland;IM Isle of Man;IL Israel;IT Italy;JM Jamaica;JP Japan;JE Jersey;JO Jordan;KZ Kazakhstan
KE Kenya;KI Kiribati;KP North Korea;KR South Korea;KW Kuwait;KG Kyrgyzstan;LA Laos;LV Latvia;LB Lebanon;LS Lesotho
LR Liberia;LY Libya;LI Liechtenstein;LT Lithuania;LU Luxembourg;MO Macao;MG Madagascar;MW Malawi;MY Malaysia
MV Maldives;ML Mali;MT Malta;MH Marshall Islands;MQ Martinique;MR Mauritania;MU Mauritius;YT Mayotte;MX Mexico
FM Micronesia;MD Moldova;MC Monaco;MN Mongolia;ME Montenegro;MS Montserrat;MA Morocco;MZ Mozambique;MM Myanmar
NA Namibia;NR Nauru;NP Nepal;NL Netherlands;NC New Caledonia;NZ New Zealand;NI Nicaragua;NE Niger;NG Nigeria;NU Niue
NF Norfolk Island;MK North Macedonia;MP Northern Mariana Islands;NO Norway;OM Oman;PK Pakistan;PW Palau;PS Palestine
PA Panama;PG Papua New Guinea;PY Paraguay;PE Peru;PH Philippines;PN Pitcairn;PL Poland;PT Portugal;PR Puerto Rico
QA Qatar;RE Réunion;RO Romania;RU Russia;RW Rwanda;BL Saint Barthélemy;SH Saint Helena;KN Saint Kitts and Nevis
LC Saint Lucia;MF Saint Martin;PM Saint Pierre and Miquelon;VC Saint Vincent and the Grenadines;WS Samoa;SM San Marino
ST São Tomé and Príncipe;SA Saudi Arabia;SN Senegal;RS Serbia;SC Seychelles;SL Sierra Leone;SG Singapore
SX Sint Maarten;SK Slovakia;SI Slovenia;SB Solomon Islands;SO Somalia;ZA South Africa
GS South Georgia and the South Sandwich Islands;SS South Sudan;ES Spain;LK Sri Lanka;SD Sudan;SR Suriname
SJ Svalbard and Jan Mayen;SE Sweden;CH Switzerland;SY Syria;TW Taiwan;TJ Tajikistan;TZ Tanzania;TH Thailand
TL Timor-Leste;TG Togo;TK Tokelau;TO Tonga;TT Trinidad and Tobago;TN Tunisia;TR Türkiye;TM Turkmenistan
TC Turks and Caicos Islands;TV Tuvalu;UG Uganda;UA Ukraine;AE United Arab Emirates;GB United Kingdom;US United States
UM United States Minor Outlying Islands;UY Uruguay;UZ Uzbekistan;VU Vanuatu;VE Venezuela;VN Vietnam
VG Virgin Islands (British);VI Virgin Islands (US);WF Wallis and Futuna;EH Western Sahara;YE Yemen;ZM Zambia
ZW Zimbabwe
"""
# Other ways people write a country.
_ALSO = {"uk": "GB", "great britain": "GB", "england": "GB", "usa": "US", "u.s.a.": "US", "deutschland": "DE"}
_ALSO |= {"norge": "NO", "sverige": "SE", "danmark": "DK", "suomi": "FI", "españa": "ES", "italia": "IT"}
_ALSO |= {
    "österreich": "AT",
    "schweiz": "CH",
    "suisse": "CH",
    "nederland": "NL",
    "belgië": "BE",
    "belgique": "BE",
}
_ALSO |= {
    "polska": "PL",
    "česko": "CZ",
    "czech republic": "CZ",
    "turkey": "TR",
    "holland": "NL",
    "россия": "RU",
}

COUNTRIES: dict[str, str] = dict(
    sorted(
        ((part[:2], part[3:]) for line in _COUNTRIES.strip().splitlines() for part in line.split(";")),
        key=lambda pair: norm(pair[1]),
    )
)
LANGUAGES: dict[str, str] = dict(
    sorted(
        {code: str(info["name"]) for code, info in LANG_INFO.items() if "name" in info}.items(),
        key=lambda pair: pair[1],
    )
)
LANGUAGES.setdefault("no", "Norwegian")
LANGUAGES.setdefault("zh", "Chinese")


@lru_cache(maxsize=4096)
def country_code(text: str) -> str | None:
    """Return the code of a country given by code or name, or None."""
    if text.upper() in COUNTRIES:
        return text.upper()
    wanted = norm(text)
    return _ALSO.get(wanted) or next((code for code, name in COUNTRIES.items() if norm(name) == wanted), None)


@lru_cache(maxsize=4096)
def language_code(text: str) -> str | None:
    """Return the code of a language given by code (also with a region: en-US) or name, or None."""
    wanted = text.strip().replace("_", "-").lower()
    for candidate in (wanted, wanted.partition("-")[0]):
        if candidate in LANGUAGES:
            return candidate
    return next((code for code, name in LANGUAGES.items() if norm(name) == norm(text)), None)


@cache
def timezones() -> tuple[str, ...]:
    """Return the names of timezones that people choose from."""
    return tuple(sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC"))
