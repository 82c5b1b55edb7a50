"""`bench forms`: forms sent to one web worker with no worker beside it, one after the other, by the clock.

Measures what a visitor waits for after pressing the button: the whole answer over HTTP, with limits, proof of work,
processing and actions. Once more with nothing where Redis should be. Knows nothing of how forms are processed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from accounts.models import User
from config.embedded.process import free_port
from content.forms.document import EMAIL, FormActions, FormDocument, FormField
from content.forms.page import LEAST_SECONDS, form_path, make_page
from content.forms.proof import find_proof
from content.models import FormSubmission
from content.operations.forms import create_form, open_form
from core.clock import now
from core.tenancy import tenant_scope
from crm.models import ConsentPurpose, ListItem, Project, Selection, SubscriptionType
from crm.models.consent import E_MARKETING
from trial.bench.asking import AGENT, Answers
from trial.bench.costs import costs_of
from trial.bench.engine import WrongResult
from trial.bench.mails import make_mails
from trial.bench.track import THREADS, web_worker
from trial.bench.world import analyze

# One network sends a form 60 times in ten minutes; beyond that it is another form's turn.
OF_ONE = 50
Post = tuple[str, bytes]


def forms(*, posts: int, contacts: int = 10_000) -> dict[str, Any]:
    """Return milliseconds of `posts` answers that only make a contact, of as many that do all a form can, and of a
    tenth of those without Redis. The tenant has `contacts` before. Raises WrongResult where an answer is lost."""
    mails = make_mails(contacts)
    with tenant_scope(mails.tenant.pk):
        user = User.objects.earliest("-pk")
        plain, everything = _plain(), _everything(mails.email.pk)
        runs = [
            ("plain", _posts(plain, user, "p", posts), {}),
            ("everything", _posts(everything, user, "e", posts), {}),
            ("without_redis", _posts(everything, user, "r", max(posts // 10, 1)), _no_redis()),
        ]
    analyze()
    time.sleep(LEAST_SECONDS)
    figures: dict[str, Any] = {"posts": posts, "contacts": contacts}
    for name, sent, environment in runs:
        with web_worker("config.wsgi:application", threads=THREADS, more=environment) as (port, pid):
            # The first answer of a process is not like the others.
            _send(port, sent[:1])
            cost = costs_of([pid])
            before = cost()
            answers = _send(port, sent[1:] or sent)
            spent = cost().since(before).each(len(answers.took))
        if set(answers.statuses) != {302}:
            raise WrongResult(f"Answers of “{name}”: {dict(answers.statuses)}, wanted 302 alone.")
        figures[f"{name}_ms_median"] = round(answers.within(0.5), 1)
        figures[f"{name}_ms_p95"] = round(answers.within(0.95), 1)
        figures[f"{name}_cpu_ms"] = round(spent["python_ms_each"] + spent["postgres_ms_each"], 1)
    with tenant_scope(mails.tenant.pk):
        kept = FormSubmission.objects.filter(status=FormSubmission.Status.PROCESSED).count()
    if kept != (wanted := sum(len(sent) for _, sent, _ in runs)):
        raise WrongResult(f"{kept} answers were kept and processed, wanted {wanted}.")
    return figures


def _no_redis() -> dict[str, str]:
    return {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}


def _plain() -> FormDocument:
    return FormDocument(
        fields=(
            FormField(key="email", kind="crm", target=EMAIL, label="Email address", required=True),
            FormField(key="stars", kind="rating", label="How do you like us?"),
            FormField(key="why", kind="textarea", label="Why?"),
        )
    )


def _everything(email_id: int) -> FormDocument:
    """A form with every action but a script, which a worker runs later."""
    lists = ListItem.List
    first = {
        kind: ListItem.objects.filter(list=kind).earliest("pk").pk
        for kind in (lists.CATEGORY, lists.INTEREST)
    }
    actions = FormActions(
        add_to_selections=(Selection.objects.create(name="Fans", created_at=now()).pk,),
        add_to_projects=(Project.objects.create(name="Fair", created_at=now()).pk,),
        add_interests=(first[lists.INTEREST],), new_category=first[lists.CATEGORY], respond_email=email_id,
        request=True,
    )  # fmt: skip
    purpose, news = ConsentPurpose.objects.get(key=E_MARKETING), SubscriptionType.objects.earliest("pk")
    more = (
        FormField(key="company", kind="crm", target="company.name", label="Company"),
        FormField(key="consent", kind="consent", label="Write to me", purpose=purpose.pk),
        FormField(key="news", kind="subscription", label="News", subscription=news.pk),
    )
    return FormDocument(fields=(*_plain().fields, *more), actions=actions)


def _posts(document: FormDocument, user: User, mark: str, number: int) -> list[Post]:
    """Return (path, body) of so many posts, over as many forms as the limits ask for; each from a page of its own."""
    found: list[Post] = []
    for first in range(0, number, OF_ONE):
        form = create_form(name=f"Bench {mark}{first}", actor=user, now=now(), document=document)
        open_form(form_id=form.pk, actor=user, now=now())
        for each in range(first, min(first + OF_ONE, number)):
            token = make_page(form, None)
            answers = {
                "email": f"{mark}{each}@new.test", "stars": "5", "why": "x" * 900, "company": f"Mill {mark}{each}",
                "consent": "on", "news": "on",
            }  # fmt: skip
            asked = {f"f_{one.key}": answers[one.key] for one in document.questions}
            found.append(
                (form_path(form), urlencode({"page": token, "proof": find_proof(token), **asked}).encode())
            )
    return found


def _send(port: int, posts: Sequence[Post]) -> Answers:
    """Post one after the other over one connection, as a browser that keeps it does."""
    answers, connection = Answers(), HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"User-Agent": AGENT, "Content-Type": "application/x-www-form-urlencoded"}
    for path, body in posts:
        begun = time.perf_counter()
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        response.read()
        answers.took.append(time.perf_counter() - begun)
        answers.statuses[response.status] += 1
    connection.close()
    return answers
