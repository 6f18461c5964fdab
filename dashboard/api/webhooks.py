"""Webhooks over the API: a system subscribes itself, and fetches again what it missed."""

from typing import Any

from flask import Response, jsonify
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from dashboard.api import cursors
from dashboard.api import schemas_webhooks as schemas
from dashboard.api.blueprint import gives, operation
from dashboard.api.employees import WriteHeader
from dashboard.api.guard import actor, caller
from dashboard.api.idempotency import Answer, once
from dashboard.api.problems import Refusal
from dashboard.api.schemas import Query, moment
from dashboard.database import reading
from dashboard.models import Delivery, Webhook
from dashboard.web.answers import services
from dashboard.webhooks import subscriptions
from dashboard.webhooks.subscriptions import WebhookProblem

TAG = "Webhooks"
SCOPE = "webhooks:manage"
NOT_FOUND = "webhook_id: there is no such webhook"


def _view(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": webhook.kinds.split(),
        "created_at": moment(webhook.created_ms),
        "failing_since": moment(webhook.failing_since_ms),
        "disabled_at": moment(webhook.disabled_ms),
        "disabled_why": webhook.disabled_why,
    }


@operation(
    "get",
    "/webhooks",
    scope=SCOPE,
    tag=TAG,
    summary="List webhooks",
    answers={200: gives(schemas.WebhookPage, "a page, oldest first")},
)
def list_webhooks(query: Query) -> Response:
    """Without their secrets."""
    after = cursors.read("webhooks", {}, query.cursor)
    rows = select(Webhook).order_by(Webhook.created_ms, Webhook.id).limit(query.limit + 1)
    if after is not None:
        rows = rows.where(tuple_(Webhook.created_ms, Webhook.id) > tuple_(*after))
    with reading(services().sessions) as session:
        found = list(session.scalars(rows))
    shown, next_cursor = cursors.page("webhooks", {}, found, query.limit, lambda one: [one.created_ms, one.id])
    return jsonify(items=[_view(one) for one in shown], next_cursor=next_cursor)


@operation(
    "post",
    "/webhooks",
    scope=SCOPE,
    tag=TAG,
    summary="Add a webhook",
    answers={201: gives(schemas.WebhookWithSecret, "the webhook, with its secret: it is shown this once")},
    refusals=(409,),
    body=True,
)
def add_webhook(header: WriteHeader, body: schemas.NewWebhook) -> Response:
    """What happens from now on is sent there, signed as Standard Webhooks has it, in no promised order."""

    def work(session: Session) -> Answer:
        try:
            webhook = subscriptions.add(session, body.url, body.events, f"key {caller().key_id}", actor())
        except WebhookProblem as error:
            raise Refusal(422, str(error), [("body.url", str(error))]) from None
        return Answer(201, {**_view(webhook), "secret": webhook.secret})

    return once(work)


@operation(
    "delete",
    "/webhooks/<string:webhook_id>",
    scope=SCOPE,
    tag=TAG,
    summary="Remove a webhook",
    answers={204: gives(None, "it is gone, and so is what waited for it")},
    refusals=(404, 409),
)
def remove_webhook(path: schemas.WebhookPath, header: WriteHeader) -> Response:
    """Nothing is sent there any more."""

    def work(session: Session) -> Answer:
        _found(session, path.webhook_id)
        subscriptions.remove(session, path.webhook_id, actor())
        return Answer(204)

    return once(work)


@operation(
    "post",
    "/webhooks/<string:webhook_id>/rotate",
    scope=SCOPE,
    tag=TAG,
    summary="Replace a webhook's secret",
    answers={200: gives(schemas.WebhookWithSecret, "the webhook, with its new secret: it is shown this once")},
    refusals=(404, 409),
)
def rotate_webhook(path: schemas.WebhookPath, header: WriteHeader) -> Response:
    """For a day what is sent is signed with both secrets, the new one first."""

    def work(session: Session) -> Answer:
        _found(session, path.webhook_id)
        webhook = subscriptions.rotate(session, path.webhook_id, actor())
        return Answer(200, {**_view(webhook), "secret": webhook.secret})

    return once(work)


@operation(
    "get",
    "/webhooks/<string:webhook_id>/deliveries",
    scope=SCOPE,
    tag=TAG,
    summary="List a webhook's deliveries",
    answers={200: gives(schemas.DeliveryPage, "a page, oldest first")},
    refusals=(404,),
)
def list_deliveries(path: schemas.WebhookPath, query: schemas.DeliveryQuery) -> Response:
    """What waits, what was delivered in the last 3 days, and what failed for good (dead) in the last 30."""
    name, chosen = f"deliveries {path.webhook_id}", query.filter()
    after = cursors.read(name, chosen, query.cursor)
    rows = select(Delivery).where(Delivery.webhook_id == path.webhook_id).order_by(Delivery.id).limit(query.limit + 1)
    if query.state is not None:
        rows = rows.where(Delivery.state == query.state)
    if after is not None:
        rows = rows.where(Delivery.id > after[0])
    with reading(services().sessions) as session:
        if session.get(Webhook, path.webhook_id) is None:
            raise Refusal(404, NOT_FOUND)
        found = list(session.scalars(rows))
    shown, next_cursor = cursors.page(name, chosen, found, query.limit, lambda one: [one.id])
    return jsonify(items=[_delivery(one) for one in shown], next_cursor=next_cursor)


@operation(
    "post",
    "/webhooks/<string:webhook_id>/replay",
    scope=SCOPE,
    tag=TAG,
    summary="Send again what failed",
    answers={200: gives(schemas.Replayed, "how many are sent again")},
    refusals=(404, 409),
)
def replay_webhook(path: schemas.WebhookPath, header: WriteHeader) -> Response:
    """Everything that failed for good is tried again, for three days."""

    def work(session: Session) -> Answer:
        _found(session, path.webhook_id)
        try:
            return Answer(200, {"deliveries": subscriptions.replay(session, path.webhook_id, actor=actor())})
        except WebhookProblem as error:
            raise Refusal(409, str(error)) from None

    return once(work)


def _found(session: Session, webhook_id: str) -> Webhook:
    try:
        return subscriptions.find(session, webhook_id)
    except WebhookProblem:
        raise Refusal(404, NOT_FOUND) from None


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "webhook_message_id": delivery.change_id,
        "event": delivery.kind,
        "subject_id": delivery.subject_id,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "created_at": moment(delivery.created_ms),
        "next_try_at": moment(delivery.next_try_ms) if delivery.state == "pending" else None,
        "last_words": delivery.last_words,
    }
