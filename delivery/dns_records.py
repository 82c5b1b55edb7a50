"""What a domain's DNS says about its mail: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489). Knows no rows.

The look-up is an argument, so that tests and other resolvers may stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.exception
import dns.nameserver
import dns.resolver
from django.conf import settings

# Every TXT record of a name; empty where there is none. Raises LookupFailed where nobody answers.
Lookup = Callable[[str], list[str]]
SECONDS = 5.0


class LookupFailed(Exception):
    """The name servers did not answer: nothing is known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One of the three records: fine, or what is wrong with it in a sentence."""

    ok: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found of a domain."""

    spf: Finding
    dkim: Finding
    dmarc: Finding

    @property
    def ok(self) -> bool:
        """Whether all three are fine."""
        return self.spf.ok and self.dkim.ok and self.dmarc.ok


def look_up(name: str) -> list[str]:
    """Return the TXT records of a name, by the installation's resolver (MILLRACE_DNS) or the system's."""
    resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVERS)
    resolver.cache = None
    resolver.lifetime = SECONDS
    if settings.DNS_SERVERS:
        resolver.nameservers = [_server(text) for text in settings.DNS_SERVERS]
    try:
        answer = resolver.resolve(name, "TXT", raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return []
    except dns.exception.DNSException as error:
        raise LookupFailed(f"The name servers of {name} did not answer.") from error
    return [b"".join(row.strings).decode("utf-8", "replace") for row in answer.rrset or []]


def _server(text: str) -> dns.nameserver.Nameserver:
    host, _, port = text.rpartition(":")
    return dns.nameserver.Do53Nameserver(host or text, int(port) if host else 53)


def judge(*, domain: str, selector: str, public_key: str, allows: str, lookup: Lookup = look_up) -> Findings:
    """Return what the domain's records say. `allows` is the SPF mechanism that must be there, or empty.

    Raises LookupFailed.
    """
    return Findings(
        spf=_spf(lookup(domain), allows),
        dkim=_dkim(lookup(f"{selector}._domainkey.{domain}"), public_key),
        dmarc=_dmarc(domain, lookup),
    )


def _spf(records: Sequence[str], allows: str) -> Finding:
    found = [record for record in records if record.lower().split(" ")[0] == "v=spf1"]
    if not found:
        return Finding(False, "There is no SPF record.")
    if len(found) > 1:
        return Finding(False, "There are several SPF records, which counts as none: join them into one.")
    parts = found[0].lower().split()
    if {"all", "+all"} & set(parts):
        return Finding(False, "The SPF record lets everybody send: end it with ~all or -all.")
    if allows and allows.lower() not in {part.lstrip("+") for part in parts}:
        return Finding(False, f"The SPF record does not name our mail servers: add {allows}.")
    return Finding(True)


def _dkim(records: Sequence[str], public_key: str) -> Finding:
    keys = [_tags(record).get("p", "").replace(" ", "") for record in records]
    if public_key in keys:
        return Finding(True)
    if any(keys):
        return Finding(False, "The DKIM record has another key than ours.")
    return Finding(False, "There is no DKIM record with our key.")


def _dmarc(domain: str, lookup: Lookup) -> Finding:
    """Judge the domain's own record, else its parents' (what receivers do for subdomains)."""
    labels = domain.split(".")
    for begin in range(len(labels) - 1):
        found = [
            tags
            for record in lookup(f"_dmarc.{'.'.join(labels[begin:])}")
            if (tags := _tags(record)).get("v", "").upper() == "DMARC1"
        ]
        if len(found) > 1:
            return Finding(False, "There are several DMARC records, which counts as none: keep one.")
        if found:
            known = found[0].get("p", "").lower() in {"none", "quarantine", "reject"}
            return Finding(known, "" if known else "The DMARC record says no policy: add p=none.")
    return Finding(False, "There is no DMARC record.")


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
