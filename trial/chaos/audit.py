"""The auditor: reads what is left with SQL of its own, as the superuser, and uses nothing of the engine.

Each check returns sentences about what is wrong; none at all means that the promises of docs/reliability.md held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from trial.chaos.sinks import Received

FINISH, OUT = "finish", "out"


@dataclass(slots=True)
class Audit:
    """What was found."""

    wrong: list[str] = field(default_factory=list)
    duplicates: int = 0
    lost: int = 0
    unknown: int = 0


def audit(url: str, received: Received, *, flow_id: int, enrolled: int, in_the_air: int) -> Audit:
    """Check everything; `in_the_air` is how many messages may be unknown."""
    found = Audit()
    with psycopg.connect(url, autocommit=True) as session:
        for name, sql in _NONE.items():
            number = _one(session, sql)
            if number:
                found.wrong.append(f"{name}: {number}")
        found.duplicates += sum(_one(session, sql) for sql in _TWICE)
        came = _one(session, f"SELECT count(*) FROM participants_participant WHERE flow_id = {flow_id}")
        if came != enrolled:
            found.wrong.append(f"{came} participants in the flow, {enrolled} were added")
        found.wrong += _paths(session)
        found.wrong += _counters(session)
        _messages(session, received, found)
        _webhooks(session, received, found)
    if found.duplicates:
        found.wrong.append(f"{found.duplicates} of something came twice")
    if found.lost:
        found.wrong.append(f"{found.lost} messages are lost")
    if found.unknown > in_the_air:
        found.wrong.append(
            f"{found.unknown} messages are unknown, but only {in_the_air} were being handed over"
        )
    return found


def _one(session: psycopg.Connection[Any], sql: str) -> int:
    row = session.execute(sql.encode()).fetchone()
    return int(row[0]) if row else 0


# Numbers that must be 0.
_NONE = {
    "participants whose visits are not numbered 1 to n": """
        SELECT count(*) FROM participants_participant p LEFT JOIN (
            SELECT participant_id, min(number) AS low, max(number) AS high, count(*) AS visits
            FROM participants_visit GROUP BY 1) v ON v.participant_id = p.id
        WHERE v.low IS DISTINCT FROM 1 OR v.high <> v.visits OR v.high <> p.visit_number""",
    "participants with more than one open visit": """
        SELECT count(*) FROM (SELECT 1 FROM participants_visit WHERE ended = '' GROUP BY participant_id
                              HAVING count(*) > 1) o""",
    "participants that ended with an open visit": """
        SELECT count(*) FROM participants_visit v JOIN participants_participant p ON p.id = v.participant_id
        WHERE v.ended = '' AND p.status <> 'active'""",
    "participants that are still under way": "SELECT count(*) FROM participants_participant WHERE status = 'active'",
    "visits that end by leaving, but are not the last": """
        SELECT count(*) FROM participants_visit v JOIN participants_participant p ON p.id = v.participant_id
        WHERE v.ended = 'left' AND v.number <> p.visit_number""",
    "participants that dropped out of nowhere": """
        SELECT count(*) FROM participants_participant p LEFT JOIN participants_visit v
            ON v.participant_id = p.id AND v.number = p.visit_number
        WHERE p.status = 'dropped' AND (v.ended IS DISTINCT FROM 'left' OR v.how IS DISTINCT FROM p.drop_reason)""",
    "steps that failed": "SELECT count(*) FROM participants_participant WHERE drop_reason = 'step_failed'",
    "suggestions and participants that do not fit": """
        SELECT count(*) FROM participants_suggestion s FULL JOIN participants_participant p ON p.suggestion_id = s.id
        WHERE (s.verdict = 'enrolled') IS DISTINCT FROM (p.id IS NOT NULL)""",
    "visits of nobody": """
        SELECT count(*) FROM participants_visit v LEFT JOIN participants_participant p ON p.id = v.participant_id
        WHERE p.id IS NULL""",
    "messages of no visit": """
        SELECT count(*) FROM delivery_message m LEFT JOIN participants_visit v
            ON v.participant_id = m.participant_id AND v.number = m.visit_number AND v.step_id = m.step_id
        WHERE v.number IS NULL AND m.participant_id IS NOT NULL""",
    "webhooks of no visit": """
        SELECT count(*) FROM delivery_outgoingwebhook w LEFT JOIN participants_visit v
            ON v.participant_id = w.participant_id AND v.number = w.visit_number AND v.step_id = w.step_id
        WHERE v.number IS NULL""",
    "events that nobody took": "SELECT count(*) FROM crm_eventinbox",
    "steps passed without what they make": """
        SELECT count(*) FROM (
            SELECT s.kind, count(*) AS visits FROM participants_visit v JOIN flows_step s ON s.id = v.step_id
            WHERE v.ended = 'went_on' AND v.how <> 'skipped' GROUP BY 1) v
        JOIN (SELECT 'create_sale' AS kind, count(*) AS made FROM crm_sale
              UNION ALL SELECT 'create_request', count(*) FROM crm_request
              UNION ALL SELECT 'create_follow_up', count(*) FROM crm_followup
              UNION ALL SELECT s.kind, count(*) FROM delivery_message m JOIN flows_step s ON s.id = m.step_id GROUP BY 1
              UNION ALL SELECT 'webhook', count(*) FROM delivery_outgoingwebhook) m USING (kind)
        WHERE v.visits <> m.made""",
}
_TWICE = (
    """SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM participants_participant
       GROUP BY flow_id, contact_id HAVING count(*) > 1) d""",
    """SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM participants_visit
       GROUP BY participant_id, number HAVING count(*) > 1) d""",
    """SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM delivery_message
       WHERE participant_id IS NOT NULL GROUP BY participant_id, visit_number HAVING count(*) > 1) d""",
    # Notes to colleagues are of no participant: one a contact and step.
    """SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM delivery_message
       WHERE participant_id IS NULL GROUP BY step_id, "values" ->> 'about' HAVING count(*) > 1) d""",
    """SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM delivery_outgoingwebhook
       GROUP BY participant_id, visit_number HAVING count(*) > 1) d""",
    """SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM crm_event WHERE kind = 'flow.enrolled'
       GROUP BY participant_id HAVING count(*) > 1) d""",
)

# --- paths ------------------------------------------------------------------------------------------------------------

_MOVES = """
SELECT flow_id, before, branch_id, step_id, status, count(*) FROM (
    SELECT p.flow_id, p.status, v.step_id::text, v.ended, lag(v.step_id::text) OVER w AS before,
           lag(v.branch_id::text) OVER w AS branch_id
    FROM participants_participant p JOIN participants_visit v ON v.participant_id = p.id
    WINDOW w AS (PARTITION BY v.participant_id ORDER BY v.number)) moves
GROUP BY 1, 2, 3, 4, 5
"""
_LASTS = """
SELECT p.flow_id, v.step_id::text, v.branch_id::text, p.status, count(*)
FROM participants_participant p JOIN participants_visit v ON v.participant_id = p.id AND v.number = p.visit_number
GROUP BY 1, 2, 3, 4
"""


def _paths(session: psycopg.Connection[Any]) -> Iterator[str]:
    """Compare every move that was made with those that the documents allow."""
    lawful: dict[int, dict[tuple[str | None, str | None], str]] = {}
    for flow_id, document in session.execute("SELECT flow_id, document FROM flows_flowrevision"):
        ways = lawful.setdefault(flow_id, {})
        ways[None, None] = _read(document["steps"], FINISH, ways)
    for flow_id, before, branch, step, _, number in session.execute(_MOVES.encode()).fetchall():
        if lawful[flow_id].get((before, branch)) != step:
            yield f"{number} went from {before} (branch {branch}) to {step}, which the document does not allow"
    for flow_id, step, branch, status, number in session.execute(_LASTS.encode()).fetchall():
        ends = lawful[flow_id].get((step, branch)) == FINISH
        if status in {"finished", "success"} and not ends:
            yield f"{number} are {status} after {step}, where the document goes on"


def _read(steps: list[dict[str, Any]], after: str, ways: dict[tuple[str | None, str | None], str]) -> str:
    """Note where each step and branch leads; return where one arrives who comes to these steps."""
    for index, step in enumerate(steps):
        following = steps[index + 1]["id"] if index + 1 < len(steps) else after
        if not step["branches"]:
            ways[step["id"], None] = following
        for branch in step["branches"]:
            end = OUT if branch.get("exit") else following
            ways[step["id"], branch["id"]] = _read(branch["steps"], end, ways)
    return str(steps[0]["id"]) if steps else after


# --- counters ---------------------------------------------------------------------------------------------------------

_KEPT = """
SELECT flow_id, step_id::text, measure, sum(amount)::bigint FROM (
    SELECT flow_id, step_id, measure, amount FROM participants_countertotal
    UNION ALL SELECT flow_id, step_id, measure, amount FROM participants_counterdelta) c
GROUP BY 1, 2, 3 HAVING sum(amount) <> 0
"""
_FACTS = """
SELECT flow_id, step_id::text, 'entered', count(*) FROM participants_visit GROUP BY 1, 2
UNION ALL
SELECT flow_id, step_id::text, 'went_on', count(*) FROM participants_visit WHERE ended = 'went_on' GROUP BY 1, 2
UNION ALL
SELECT flow_id, step_id::text, how, count(*) FROM participants_visit
WHERE ended = 'went_on' AND how <> '' GROUP BY 1, 2, 3
UNION ALL
SELECT flow_id, step_id::text, 'left:' || how, count(*) FROM participants_visit WHERE ended = 'left' GROUP BY 1, 2, 3
UNION ALL
SELECT flow_id, step_id::text, 'branch:' || branch_id, count(*) FROM participants_visit
WHERE branch_id IS NOT NULL GROUP BY 1, 2, 3
UNION ALL
SELECT flow_id, NULL, 'enrolled', count(*) FROM participants_participant GROUP BY 1
UNION ALL
SELECT flow_id, NULL, CASE WHEN status = 'dropped' THEN 'dropped:' || drop_reason ELSE status END, count(*)
FROM participants_participant WHERE status <> 'active' GROUP BY 1, 3
UNION ALL
SELECT flow_id, NULL, 'success_met', count(*) FROM participants_participant WHERE success_at IS NOT NULL GROUP BY 1
"""


def _counters(session: psycopg.Connection[Any]) -> Iterator[str]:
    kept, facts = (
        {tuple(row[:3]): row[3] for row in session.execute(sql.encode())} for sql in (_KEPT, _FACTS)
    )
    for key in sorted(kept.keys() | facts.keys(), key=str):
        if kept.get(key, 0) != facts.get(key, 0):
            yield f"the counter {key} says {kept.get(key, 0)}, the rows say {facts.get(key, 0)}"


# --- what left the house ----------------------------------------------------------------------------------------------

_MESSAGES = """
SELECT m.channel, m.status, m.uuid::text, m.to_address, c.first_name FROM delivery_message m
LEFT JOIN crm_contact c ON c.tenant_id = m.tenant_id
     AND c.id = coalesce(m.contact_id, (m."values" ->> 'about')::bigint)
"""
MAY_BE_MISSING = {"unknown", "blocked", "cancelled", "failed", "bounced", "soft_bounced"}


def _messages(session: psycopg.Connection[Any], received: Received, found: Audit) -> None:
    found.duplicates += sum(count - 1 for count in received.mails.values())
    found.duplicates += sum(count - 1 for count in received.texts.values())
    mails = {message_id.strip("<>").partition("@")[0] for message_id in received.mails}
    known_mails, known_texts = set(), set()
    for channel, status, uuid, address, name in session.execute(_MESSAGES.encode()):
        if channel == "email":
            known_mails.add(uuid)
            came = uuid in mails
        else:
            known_texts.add((address, name))
            came = (address, name) in received.texts
        found.unknown += status == "unknown"
        found.lost += not came and status not in MAY_BE_MISSING
        if came and status in {"queued", "cancelled"}:
            found.wrong.append(f"a message that is {status} was received: {uuid}")
    strange = len(mails - known_mails) + len(received.texts.keys() - known_texts)
    if strange:
        found.wrong.append(f"{strange} messages were received that nobody wrote")


def _webhooks(session: psycopg.Connection[Any], received: Received, found: Audit) -> None:
    rows = dict(
        session.execute("SELECT 'msg_' || replace(uuid::text, '-', ''), status FROM delivery_outgoingwebhook")
    )
    for delivery_id, status in rows.items():
        if status != "cancelled" and delivery_id not in received.calls:
            found.lost += 1
    two = sum(len(bodies) > 1 for bodies in received.calls.values())
    if two:
        found.wrong.append(f"{two} webhooks came with two bodies under one delivery id")
    strange = received.calls.keys() - rows.keys()
    if strange:
        found.wrong.append(f"{len(strange)} webhooks were received that nobody wrote")
