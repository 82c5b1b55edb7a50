"""Currencies (ISO 4217) by code, and the one of a country. Pure data."""

from __future__ import annotations

from core.text import norm

_CURRENCIES = """
AED UAE dirham;AFN Afghani;ALL Lek;AMD Dram;AOA Kwanza;ARS Argentine peso;AUD Australian dollar;AZN Manat
BAM Convertible mark;BDT Taka;BGN Lev;BHD Bahraini dinar;BIF Burundi franc;BND Brunei dollar;BOB Boliviano
BRL Brazilian real;BWP Pula;BYN Belarusian ruble;BZD Belize dollar;CAD Canadian dollar;CDF Congolese franc
CHF Swiss franc;CLP Chilean peso;CNY Yuan renminbi;COP Colombian peso;CRC Colón;CUP Cuban peso;CVE Escudo
CZK Czech koruna;DJF Djibouti franc;DKK Danish krone;DOP Dominican peso;DZD Algerian dinar;EGP Egyptian pound
ERN Nakfa;ETB Birr;EUR Euro;FJD Fiji dollar;GBP Pound sterling;GEL Lari;GHS Cedi;GMD Dalasi;GNF Guinean franc
GTQ Quetzal;GYD Guyana dollar;HKD Hong Kong dollar;HNL Lempira;HTG Gourde;HUF Forint;IDR Rupiah;ILS Shekel
INR Indian rupee;IQD Iraqi dinar;IRR Rial;ISK Icelandic króna;JMD Jamaican dollar;JOD Jordanian dinar;JPY Yen
KES Kenyan shilling;KGS Som;KHR Riel;KMF Comorian franc;KRW Won;KWD Kuwaiti dinar;KZT Tenge;LAK Kip
LBP Lebanese pound;LKR Sri Lanka rupee;LRD Liberian dollar;LSL Loti;LYD Libyan dinar;MAD Moroccan dirham
MDL Moldovan leu;MGA Ariary;MKD Denar;MMK Kyat;MNT Tugrik;MOP Pataca;MRU Ouguiya;MUR Mauritius rupee;MVR Rufiyaa
MWK Malawi kwacha;MXN Mexican peso;MYR Ringgit;MZN Metical;NAD Namibia dollar;NGN Naira;NIO Córdoba
NOK Norwegian krone;NPR Nepalese rupee;NZD New Zealand dollar;OMR Omani rial;PAB Balboa;PEN Sol;PGK Kina
PHP Philippine peso;PKR Pakistan rupee;PLN Złoty;PYG Guarani;QAR Qatari rial;RON Romanian leu;RSD Serbian dinar
RUB Russian ruble;RWF Rwanda franc;SAR Saudi riyal;SBD Solomon Islands dollar;SCR Seychelles rupee
SDG Sudanese pound;SEK Swedish krona;SGD Singapore dollar;SLE Leone;SOS Somali shilling;SRD Surinam dollar
SYP Syrian pound;SZL Lilangeni;THB Baht;TJS Somoni;TMT Turkmen manat;TND Tunisian dinar;TOP Paʻanga
TRY Turkish lira;TTD Trinidad and Tobago dollar;TWD New Taiwan dollar;TZS Tanzanian shilling;UAH Hryvnia
UGX Uganda shilling;USD US dollar;UYU Uruguayan peso;UZS Uzbekistan som;VES Bolívar;VND Dong;VUV Vatu;WST Tala
XAF CFA franc BEAC;XCD East Caribbean dollar;XOF CFA franc BCEAO;XPF CFP franc;YER Yemeni rial;ZAR Rand
ZMW Zambian kwacha;ZWG Zimbabwe gold
"""
CURRENCIES: dict[str, str] = dict(
    sorted(
        ((part[:3], part[4:]) for line in _CURRENCIES.strip().splitlines() for part in line.split(";")),
        key=lambda pair: norm(pair[0]),
    )
)
_EURO = "AD AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MC ME MT NL PT SI SK SM VA XK"
_OTHER = "AU:AUD BG:BGN BR:BRL CA:CAD CH:CHF CL:CLP CN:CNY CZ:CZK DK:DKK FO:DKK GB:GBP GL:DKK HK:HKD HU:HUF"
_OTHER += " IL:ILS IN:INR IS:ISK JP:JPY KR:KRW LI:CHF MX:MXN MY:MYR NO:NOK NZ:NZD PL:PLN RO:RON RS:RSD SE:SEK"
_OTHER += " SG:SGD SJ:NOK TH:THB TR:TRY TW:TWD UA:UAH US:USD ZA:ZAR AE:AED SA:SAR"
_BY_COUNTRY = dict.fromkeys(_EURO.split(), "EUR") | dict(pair.split(":") for pair in _OTHER.split())


def currency_of(country: str) -> str:
    """Return the currency of a country code; the euro where it is not known here."""
    return _BY_COUNTRY.get(country, "EUR")
