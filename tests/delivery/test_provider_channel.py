"""Each email provider through anymail's own backend against a server that answers as it does: what became of a mail."""

from __future__ import annotations

import datetime as dt
import socket

import pytest
from pytest_django import Settings

from delivery import mime
from delivery.channels import provider as channel_module
from delivery.channels.base import Envelope, HandOver, Outcome
from delivery.channels.provider import ProviderAccount, ProviderChannel
from delivery.channels.providers import PROVIDERS
from delivery.files import FileSet, MailFile
from tests.support.email_providers import ACCESS_KEY_ID, KEY, EmailProviders

GIVEN = {
    "amazon_ses": {"access_key_id": ACCESS_KEY_ID, "secret_access_key": KEY, "region": "eu-west-1"},
    "brevo": {"api_key": KEY},
    "mailgun": {"api_key": KEY, "region": "eu"},
    "mailjet": {"api_key": "public", "secret_key": KEY},
    "postmark": {"server_token": KEY, "message_stream": "broadcast"},
    "sendgrid": {"api_key": KEY, "region": "us"},
    "sparkpost": {"api_key": KEY, "region": "eu"},
}
NAMES = sorted(GIVEN)
ONE_CLICK = {
    "List-Unsubscribe": "<https://mill.test/m/u/token>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Feedback-ID": "7:3:acme:millrace",
}


def mail(to: str = "ada@post.test", sender: str = "news@acme.test", files: FileSet | None = None) -> Envelope:
    data = mime.assemble(
        mime.Mail(
            message_id="<one@acme.test>", date=dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC),
            sender_name="Zoë, 🚀 Ünal", sender=sender, to_name="محمد عبد الله", to=to, subject="Grüße 🚀 " + "x" * 90,
            text="Hello\r\nöäü", html="<p>Hello <b>öäü</b></p>", reply_to_name="Rep", reply_to="rep@acme.test",
            unsubscribe_url="https://mill.test/m/u/token", feedback_id="7:3:acme:millrace",
            files_boundary=files.boundary if files else "",
        )
    )  # fmt: skip
    return Envelope("bounce@mill.test", to, data, "our-token", files)


def opened(name: str, **other: str) -> ProviderChannel:
    return ProviderChannel(ProviderAccount(name, {**GIVEN[name], **other}))


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def hand(name: str, envelope: Envelope, **other: str) -> HandOver:
    channel = opened(name, **other)
    try:
        return channel.hand_over(envelope)
    finally:
        channel.close()


def test_every_provider_of_the_table_is_tried_here() -> None:
    assert sorted(PROVIDERS) == NAMES


def test_a_mail_arrives_whole_with_its_headers_and_our_token(name: str, providers: EmailProviders) -> None:
    result = hand(name, mail())
    assert result.outcome is Outcome.SENT, result
    assert result.reference
    [taken] = providers.mails
    assert (taken.sender, taken.to, taken.reply_to) == ("news@acme.test", "ada@post.test", "rep@acme.test")
    assert taken.subject == "Grüße 🚀 " + "x" * 90
    assert (taken.text.strip(), taken.html.strip()) == ("Hello\nöäü", "<p>Hello <b>öäü</b></p>")
    assert ONE_CLICK.items() <= {k.title().replace("Id", "ID"): v for k, v in taken.headers.items()}.items()
    assert taken.metadata["millrace"] == "our-token"
    assert ("<one@acme.test>" in str(taken.headers)) is PROVIDERS[name].keeps_message_id


def test_the_providers_own_tracking_is_off(name: str, providers: EmailProviders) -> None:
    hand(name, mail())
    raw = str(providers.mails[0].raw)
    off = {
        "amazon_ses": "", "mailgun": "'o:tracking-clicks': 'no'", "mailjet": "'TrackClicks': 'disabled'", "brevo": "",
        "postmark": "'TrackLinks': 'None'", "sendgrid": "'click_tracking': {'enable': False}",
        "sparkpost": "'click_tracking': False",
    }  # fmt: skip
    assert off[name] in raw


def test_regions_and_streams_lead_where_the_account_is(providers: EmailProviders) -> None:
    assert opened("mailgun")._all[0].api_url.endswith("/v3/")
    hand("mailgun", mail(), sender_domain="mg.acme.test")
    hand("postmark", mail())
    assert providers.mails[0].path == "/v3/mg.acme.test/messages"
    assert providers.mails[1].raw["MessageStream"] == "broadcast"


def test_each_region_is_the_providers_own_address(settings: Settings) -> None:
    settings.EMAIL_API_URL = ""
    wanted = {
        ("mailgun", "us"): "https://api.mailgun.net/v3/", ("mailgun", "eu"): "https://api.eu.mailgun.net/v3/",
        ("sendgrid", "us"): "https://api.sendgrid.com/v3/", ("sendgrid", "eu"): "https://api.eu.sendgrid.com/v3/",
        ("sparkpost", "eu"): "https://api.eu.sparkpost.com/api/v1/", ("brevo", ""): "https://api.brevo.com/v3/",
        ("amazon_ses", "eu-west-1"): "https://email.eu-west-1.amazonaws.com",
        ("postmark", ""): "https://api.postmarkapp.com/", ("mailjet", ""): "https://api.mailjet.com/v3.1/",
    }  # fmt: skip
    for (name, region), address in wanted.items():
        backend = opened(name, region=region)._all[0]
        backend.open()
        assert getattr(backend, "api_url", None) or backend.client.meta.endpoint_url == address


def test_attachments_go_along_to_the_byte(name: str, providers: EmailProviders) -> None:
    contents = [b"%PDF-1.7 \x00\xff" + b"x" * 200, b"navn;\xe5r\r\n"]
    made = [("Preisliste ä 🚀.pdf", "application/pdf"), ("tall.csv", "text/csv")]
    files = FileSet(
        1, tuple(MailFile(*one, number, len(contents[number])) for number, one in enumerate(made)),
        lambda tenant_id, file_id: iter([contents[file_id]]),
    )  # fmt: skip
    assert hand(name, mail(files=files)).outcome is Outcome.SENT
    [taken] = providers.mails
    assert taken.attachments == [("Preisliste ä 🚀.pdf", contents[0]), ("tall.csv", contents[1])]
    assert taken.text == "Hello\nöäü"
    assert "<b>öäü</b>" in taken.html


def test_what_each_provider_refuses_is_told_by_whose_fault_it_is(
    name: str, providers: EmailProviders
) -> None:
    # SES says no more than that the request is bad: no address is blocked for that.
    bad = Outcome.FAILED if name == "amazon_ses" else Outcome.REFUSED
    assert hand(name, mail(to="bad@post.test")).outcome is bad
    assert hand(name, mail(sender="stranger@acme.test")).outcome is Outcome.SENDER
    key = [
        one.name for one in PROVIDERS[name].fields if one.name in PROVIDERS[name].secrets and not one.signs
    ][-1]
    wrong = hand(name, mail(), **{key: "another-key"})
    assert (wrong.outcome, wrong.cause) == (Outcome.DOWN, "sign_in")
    assert "another-key" not in wrong.said
    assert providers.mails == []


@pytest.mark.parametrize(
    ("status", "outcome", "cause"),
    [
        (400, Outcome.FAILED, ""),
        (402, Outcome.DOWN, "suspended"),
        (408, Outcome.UNKNOWN, ""),
        (413, Outcome.FAILED, ""),
        (429, Outcome.DOWN, "busy"),
        (500, Outcome.UNKNOWN, ""),
        (502, Outcome.UNKNOWN, ""),
        (503, Outcome.DOWN, "busy"),
        (504, Outcome.UNKNOWN, ""),
    ],
)
def test_each_status_means_what_it_says(
    name: str, providers: EmailProviders, status: int, outcome: Outcome, cause: str
) -> None:
    providers.answers["ada@post.test"] = (status, {"message": "something"}, {"Retry-After": "77"})
    result = hand(name, mail())
    assert (result.outcome, result.cause) == (outcome, cause)
    assert result.wait == (77 if outcome is Outcome.DOWN else 0)


@pytest.mark.parametrize("asked", ["", "soon", "-3", "9" * 30, "Wed, 21 Oct 2026 07:28:00 GMT", "٣"])
def test_a_wait_that_is_none_is_none_and_a_long_one_ends(providers: EmailProviders, asked: str) -> None:
    providers.answers["ada@post.test"] = (429, {}, {"Retry-After": asked.encode().decode("latin-1")})
    assert hand("postmark", mail()).wait == 0
    providers.answers["ada@post.test"] = (429, {}, {"Retry-After": "99999999"})
    assert hand("postmark", mail()).wait == 3600


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"strange": 1}', "null"])
def test_a_yes_that_is_not_the_providers_leaves_it_unknown(
    name: str, providers: EmailProviders, body: str
) -> None:
    if name == "sendgrid" or (name == "brevo" and not body):
        pytest.skip("It says nothing when it takes a mail.")
    providers.answers["ada@post.test"] = (200, body, {})
    assert hand(name, mail()).outcome is Outcome.UNKNOWN


def test_hanging_up_after_the_request_leaves_it_unknown(name: str, providers: EmailProviders) -> None:
    providers.hang.add("ada@post.test")
    assert hand(name, mail()).outcome is Outcome.UNKNOWN
    # Taken all the same: that is why it must not go again.
    assert len(providers.mails) == providers.asked == 1


def test_no_answer_in_time_leaves_it_unknown(
    name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_API_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(channel_module, "TIMEOUT", 0.2)
        assert hand(name, mail()).outcome is Outcome.UNKNOWN


def test_nobody_there_is_down_and_not_unknown(name: str, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    settings.EMAIL_API_URL = f"http://127.0.0.1:{port}"
    result = hand(name, mail())
    assert (result.outcome, result.cause) == (Outcome.DOWN, "")


def test_the_key_does_not_follow_a_redirect(providers: EmailProviders) -> None:
    providers.answers["ada@post.test"] = (302, {}, {"Location": f"{providers.address}/email"})
    assert hand("postmark", mail()).outcome is Outcome.UNKNOWN
    assert providers.asked == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "Not allowed"}, "Not allowed"),
        ({"ErrorCode": 300, "Message": "Invalid\n 'To'"}, "Invalid 'To'"),
        ({"errors": [{"message": "Bad from", "field": "from"}]}, "Bad from"),
        ({"Messages": [{"Status": "error", "Errors": [{"ErrorCode": "mj", "ErrorMessage": "Odd"}]}]}, "Odd"),
        ({"code": "x", "number": 7}, ""),
        ({"a": {"b": {"c": {"d": {"e": {"f": {"message": "too deep"}}}}}}}, ""),
        ("<html><body>Bad gateway</body></html>", ""),
        ("Too many requests", "Too many requests"),
        ("[" * 2000, "[" * 396),
        ({"message": "x" * 900}, "x" * 396),
        ({"message": ["one", "two"]}, "one"),
        ("", ""),
    ],
)
def test_what_a_provider_answers_is_kept_in_words(
    providers: EmailProviders, body: object, words: str
) -> None:
    providers.answers["ada@post.test"] = (400, body, {})
    assert hand("postmark", mail()).said == f"400 {words}".strip()
