"""My diary: what is planned, day by day; one follow-up; working hours and days away."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject, Reach, Right
from accounts.urls_for import turl
from core.paging import keyset_page
from crm.diary import DEFAULT_HOURS, read_hours
from crm.forms.follow_up import AwayForm, FollowUpForm, HoursForm
from crm.models import AwayPeriod, Contact, Diary, FollowUp
from crm.operations import diaries, follow_ups
from crm.queries.desk import seen_contacts
from crm.queries.diary import diary_of, follow_ups_for, free_time_of, get_follow_up, users_within
from crm.queries.reach import contacts_for, get_contact
from crm.views.contact import contact_tabs

SPANS = {"day": ("Day", 1), "week": ("Week", 7), "month": ("Four weeks", 28)}


def _may(request: TenantRequest, verb: str) -> bool:
    return request.member.reach(DataObject.FOLLOW_UP, verb) != Reach.NONE


def _must(request: TenantRequest, verb: str) -> None:
    if not _may(request, verb):
        raise Http404


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 2200 else None


@require_GET
def diary(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show a diary day by day, today first; whose, within the member's reach."""
    _must(request, "read")
    people = users_within(request.member, "read")
    chosen = request.GET.get("user", "")
    user_id = int(chosen) if chosen.isdecimal() else request.user.pk
    if user_id not in {one.user_id for one in people}:
        raise Http404
    span = request.GET.get("span", "week")
    days = SPANS.get(span, SPANS["week"])[1]
    now = tenant_now(request.tenant.pk)
    first = _day(request.GET.get("from", ""))
    shown = diary_of(request.member, user_id, first_day=first, days=days, now=now)
    begins, step = shown.days[0].day, dt.timedelta(days=days)
    context = {
        "shown": shown,
        "people": people,
        "user_id": user_id,
        "mine": user_id == request.user.pk,
        "span": span if span in SPANS else "week",
        "spans": [(key, name) for key, (name, _) in SPANS.items()],
        "earlier": (begins - step).isoformat(),
        "later": (begins + step).isoformat(),
        "seen": seen_contacts(request.member, shown.all()),
        "may_create": _may(request, "create"),
        "may_update": user_id in {one.user_id for one in users_within(request.member, "update")},
    }
    return render(request, "crm/diary.html", context)


@require_http_methods(["GET", "POST"])
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Create a follow-up, about a contact where the query string names one."""
    _must(request, "create")
    contact = _contact_of(request, request.GET)
    form = _form(request, "create")
    if request.method == "POST" and form.is_valid():
        follow_up = follow_ups.create_follow_up(
            values=form.values(),
            contact_id=contact.pk if contact else None,
            now=tenant_now(request.tenant.pk),
            actor=request.user,
        )
        messages.success(request, f"{follow_up.get_kind_display()} created.")
        return redirect(_back(request, follow_up))
    context = {"form": form, "contact": contact}
    return render(request, "crm/follow_up.html", context, status=422 if form.is_bound else 200)


def _contact_of(request: TenantRequest, query: QueryDict) -> Contact | None:
    number = query.get("contact", "")
    return get_contact(request.member, int(number)) if number.isdecimal() else None


def _form(request: TenantRequest, verb: str, follow_up: FollowUp | None = None) -> FollowUpForm:
    now = tenant_now(request.tenant.pk)
    zone = free_time_of(request.user.pk, now).zone
    return FollowUpForm(
        request.POST if request.method == "POST" else None,
        zone=zone,
        today=now.astimezone(zone).date(),
        people=users_within(request.member, verb),
        user_id=request.user.pk,
        follow_up=follow_up,
    )


def _back(request: TenantRequest, follow_up: FollowUp) -> str:
    """Return to the contact where one came from there, else to the diary."""
    if follow_up.contact_id and request.GET.get("back") == "contact":
        return turl(request.tenant, "crm:contact_follow_ups", follow_up.contact_id)
    return turl(request.tenant, "crm:diary")


@require_http_methods(["GET", "POST"])
def follow_up(request: TenantRequest, tenant: str, follow_up_id: int) -> HttpResponse:
    """Show a follow-up; those who may change it get it as a form."""
    found = get_follow_up(request.member, follow_up_id)
    may_edit = follow_ups_for(request.member, "update").filter(pk=found.pk).exists()
    if request.method == "POST" and not may_edit:
        raise Http404
    form = _form(request, "update", found)
    if request.method == "POST" and form.is_valid():
        follow_ups.change_follow_up(
            follow_up_id=found.pk,
            values=form.values(),
            now=tenant_now(request.tenant.pk),
            actor=request.user,
        )
        messages.success(request, "Saved.")
        return redirect(_back(request, found))
    readable = found.contact and contacts_for(request.member).filter(pk=found.contact.pk).exists()
    context = {
        "follow_up": found,
        "form": form,
        "contact": found.contact if readable else None,
        "may_edit": may_edit,
        "may_delete": follow_ups_for(request.member, "remove").filter(pk=found.pk).exists(),
    }
    return render(request, "crm/follow_up.html", context, status=422 if form.is_bound else 200)


@require_POST
def follow_up_do(request: TenantRequest, tenant: str, follow_up_id: int) -> HttpResponse:
    """Complete, reopen or move a follow-up."""
    found = get_follow_up(request.member, follow_up_id, "update")
    now, do = tenant_now(request.tenant.pk), request.POST.get("do", "")
    if do == "complete":
        follow_ups.complete_follow_up(follow_up_id=found.pk, now=now, actor=request.user)
    elif do == "reopen":
        follow_ups.reopen_follow_up(follow_up_id=found.pk, now=now, actor=request.user)
    elif do in {"tomorrow", "week"}:
        days = 1 if do == "tomorrow" else 7
        follow_ups.move_follow_up(follow_up_id=found.pk, days=days, now=now, actor=request.user)
    else:
        raise Http404
    words = {
        "complete": "Done.",
        "reopen": "Open again.",
        "tomorrow": "Moved by a day.",
        "week": "Moved by a week.",
    }
    messages.success(request, words[do])
    return redirect(_back(request, found))


@require_POST
def follow_up_delete(request: TenantRequest, tenant: str, follow_up_id: int) -> HttpResponse:
    """Delete a follow-up."""
    found = get_follow_up(request.member, follow_up_id, "remove")
    now = tenant_now(request.tenant.pk)
    follow_ups.delete_follow_up(follow_up_id=found.pk, now=now, actor=request.user)
    messages.success(request, f"{found} deleted.")
    return redirect(_back(request, found))


@require_GET
def contact_follow_ups(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """Show the follow-ups about a contact, newest first."""
    contact = get_contact(request.member, contact_id)
    _must(request, "read")
    found = follow_ups_for(request.member).filter(contact=contact)
    page = keyset_page(found, by=["-id"], query=request.GET)
    may_update = follow_ups_for(request.member, "update").filter(pk__in=[one.pk for one in page.rows])
    context = {
        "contact": contact,
        "tabs": contact_tabs(request, contact, "Follow-ups"),
        "page": page,
        "zone": free_time_of(request.user.pk, tenant_now(request.tenant.pk)).zone,
        "may_create": _may(request, "create"),
        "updatable": set(may_update.values_list("pk", flat=True)),
    }
    return render(request, "crm/contact_follow_ups.html", context)


@require_http_methods(["GET", "POST"])
def hours(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show and change the own working hours; the days away are beside them."""
    _must(request, "read")
    form = _hours_form(request, own=True)
    if request.method == "POST" and form.is_valid():
        diaries.save_hours(
            user=request.user,
            hours=form.hours(),
            timezone=form.cleaned_data["timezone"],
            actor=request.user,
        )
        messages.success(request, "Working hours saved.")
        return redirect(turl(request.tenant, "crm:hours"))
    return _hours_page(request, form, AwayForm())


def _hours_page(request: TenantRequest, form: HoursForm, away_form: AwayForm) -> HttpResponse:
    today = tenant_now(request.tenant.pk).date()
    away = AwayPeriod.objects.filter(user=request.user, last_day__gte=today).order_by("first_day", "id")
    context = {"form": form, "away_form": away_form, "away": away[:100]}
    status = 422 if form.is_bound or away_form.is_bound else 200
    return render(request, "crm/hours.html", context, status=status)


def _hours_form(request: TenantRequest, *, own: bool, bound: bool = True) -> HoursForm:
    default = Diary.objects.filter(user=None).first()
    mine = Diary.objects.filter(user=request.user).first() if own else default
    default_hours = read_hours(default.hours) if default else None
    shown = read_hours(mine.hours) if mine else None
    fallback = DEFAULT_HOURS if default_hours is None else default_hours
    zone = (default.timezone if default and own else "") or request.tenant.timezone
    return HoursForm(
        request.POST if request.method == "POST" and bound else None,
        hours=fallback if shown is None else shown,
        timezone=mine.timezone if mine else "",
        default=shown is None if own else None,
        default_zone=zone,
    )


@require_POST
def away(request: TenantRequest, tenant: str) -> HttpResponse:
    """Note days away of one's own."""
    _must(request, "read")
    form = AwayForm(request.POST)
    if not form.is_valid():
        return _hours_page(request, _hours_form(request, own=True, bound=False), form)
    diaries.add_away(user=request.user, **form.cleaned_data)
    messages.success(request, "Days away noted.")
    return redirect(turl(request.tenant, "crm:hours"))


@require_POST
def away_delete(request: TenantRequest, tenant: str, away_id: int) -> HttpResponse:
    """Take days away back; only one's own exist here."""
    _must(request, "read")
    if not AwayPeriod.objects.filter(pk=away_id, user=request.user).exists():
        raise Http404
    diaries.remove_away(away_id=away_id, user=request.user)
    messages.success(request, "Taken back.")
    return redirect(turl(request.tenant, "crm:hours"))


@needs(Right.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def working_hours(request: TenantRequest, tenant: str) -> HttpResponse:
    """Settings: the hours of everyone who has none of their own."""
    form = _hours_form(request, own=False)
    if request.method == "POST" and form.is_valid():
        diaries.save_hours(
            user=None,
            hours=form.hours(),
            timezone=form.cleaned_data["timezone"],
            actor=request.user,
        )
        messages.success(request, "Working hours saved.")
        return redirect(turl(request.tenant, "crm:working_hours"))
    context = {"form": form, "zone": ZoneInfo(request.tenant.timezone)}
    return render(request, "crm/working_hours.html", context, status=422 if form.is_bound else 200)
