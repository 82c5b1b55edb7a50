"""The trial's mailbox: real SMTP in, pages out, nothing of a mail can reach beyond its frame."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest
from django.test import Client
from pytest_django import Settings

from trial.mailbox import Mailbox

HTML = (
    '<p style="color: red">Hei Åse</p><script>parent.location="/"</script>'
    '<a href="http://testserver/m/c/abc">Se tilbudet</a>'
)


@pytest.fixture
def trial(settings: Settings, smtp_sink: Mailbox) -> Mailbox:
    """The mailbox of an installation that is a trial."""
    settings.TRIAL = True
    settings.HOME = smtp_sink.folder.parent
    return smtp_sink


def send(settings: Settings, *, to: str = "ase@moen.example", subject: str = "Velkommen, Åse 🎉") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "Northwind <hello@northwind.example>",
        "ase@moen.example",
        subject,
    )
    mail["Date"] = "Mon, 23 Nov 2026 09:00:00 +0000"
    mail["List-Unsubscribe"] = "<http://testserver/m/u/token>, <mailto:u@northwind.example>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content("Hei Åse\n\nhttp://testserver/m/c/abc\n")
    mail.add_alternative(HTML, subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="pris liste.pdf")
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT) as server:
        server.send_message(mail, from_addr="bounces@northwind.example", to_addrs=[to])


def test_a_mail_sent_by_smtp_stands_in_the_list_and_opens(
    trial: Mailbox, settings: Settings, client: Client
) -> None:
    send(settings)
    page = client.get("/mailbox/").content.decode()
    assert "Velkommen, Åse 🎉" in page
    assert "ase@moen.example" in page
    [mail] = trial.summaries()
    detail = client.get(f"/mailbox/{mail.id}/").content.decode()
    assert "Northwind &lt;hello@northwind.example&gt;" in detail
    assert f'src="/mailbox/{mail.id}/html"' in detail
    assert 'action="http://testserver/m/u/token"' in detail
    text = client.get(f"/mailbox/{mail.id}/?view=text").content.decode()
    assert '<a href="http://testserver/m/c/abc"' in text
    assert "List-Unsubscribe-Post" in client.get(f"/mailbox/{mail.id}/?view=headers").content.decode()
    file = client.get(f"/mailbox/{mail.id}/files/1")
    assert file.content == b"%PDF"
    assert file["Content-Disposition"] == 'attachment; filename="pris liste.pdf"'


def test_the_mail_is_shown_in_a_sandbox_that_runs_no_script(
    trial: Mailbox, settings: Settings, client: Client
) -> None:
    send(settings)
    [mail] = trial.summaries()
    answer = client.get(f"/mailbox/{mail.id}/html")
    assert answer.content.decode().strip() == f'<base target="_blank">{HTML}'
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_one_click_is_offered_for_our_own_address_only(
    trial: Mailbox, settings: Settings, client: Client
) -> None:
    send(settings)
    [mail] = trial.summaries()
    detail = client.get(f"/mailbox/{mail.id}/", headers={"host": "localhost"}).content.decode()
    assert "Unsubscribe with one click" not in detail


def test_search_finds_by_recipient_and_subject(trial: Mailbox, settings: Settings, client: Client) -> None:
    send(settings, to="ada@one.example", subject="First")
    send(settings, to="bo@two.example", subject="Second")
    assert [mail.subject for mail in trial.summaries()] == ["Second", "First"]
    assert [mail.subject for mail in trial.summaries("ADA@")] == ["First"]
    page = client.get("/mailbox/?q=second").content.decode()
    assert "bo@two.example" in page
    assert "ada@one.example" not in page


def test_addresses_made_to_be_refused_are_refused(trial: Mailbox, settings: Settings) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="550"):
        send(settings, to="bounce.one@nowhere.example")
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="451"):
        send(settings, to="busy@nowhere.example")
    assert trial.summaries() == []


def test_emptying_needs_a_post(trial: Mailbox, settings: Settings, client: Client) -> None:
    send(settings)
    assert client.get("/mailbox/empty").status_code == 405
    assert len(trial.summaries()) == 1
    assert client.post("/mailbox/empty").status_code == 302
    assert trial.summaries() == []


@pytest.mark.parametrize("path", ["no-such-mail/", "..%2f..%2fsecrets/", "1/html", "1/files/1"])
def test_what_is_no_mail_is_not_found(trial: Mailbox, client: Client, path: str) -> None:
    assert client.get(f"/mailbox/{path}").status_code == 404


@pytest.mark.parametrize("path", ["", "empty", "x/", "x/html", "x/files/1"])
def test_outside_a_trial_there_is_no_mailbox(settings: Settings, client: Client, path: str) -> None:
    settings.TRIAL = False
    answer = client.post("/mailbox/empty") if path == "empty" else client.get(f"/mailbox/{path}")
    assert answer.status_code == 404


def test_a_line_that_the_killed_sink_left_half_is_passed_over(trial: Mailbox, settings: Settings) -> None:
    send(settings)
    with (trial.folder / "index.jsonl").open("a") as index:
        index.write('{"id": "0000')
    assert len(trial.summaries()) == 1
