"""What the API takes and gives about webhooks."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from dashboard.api.schemas import MAX_ID, Page, Query, Strict
from dashboard.webhooks.targets import MAX_URL

EventKind = Literal["punch.recorded", "employee.changed", "days.changed"]
DATE_TIME: dict[str, Any] = {"format": "date-time"}


class WebhookPath(Strict):
    webhook_id: str = Field(min_length=1, max_length=MAX_ID)


class NewWebhook(Strict):
    url: str = Field(
        min_length=10,
        max_length=MAX_URL,
        description="https://…; http:// only into networks that the operator allows",
        json_schema_extra={"examples": ["https://payroll.example.com/hooks/attendance"]},
    )
    events: list[EventKind] = Field(min_length=1, max_length=10)


class Webhook(BaseModel):
    id: str
    url: str
    events: list[str]
    created_at: str = Field(json_schema_extra=DATE_TIME)
    failing_since: str | None = Field(json_schema_extra=DATE_TIME, description="null: the last delivery was taken")
    disabled_at: str | None = Field(json_schema_extra=DATE_TIME)
    disabled_why: str


class WebhookWithSecret(Webhook):
    secret: str = Field(description="whsec_…, which verifies signatures")


class WebhookPage(Page):
    items: list[Webhook]


class DeliveryQuery(Query):
    state: Literal["pending", "delivered", "dead"] | None = Field(default=None, description="only those")


class Delivery(BaseModel):
    id: int
    webhook_message_id: str = Field(description="the header webhook-id, the same at every try")
    event: str
    subject_id: str = Field(description="id of the punch or employee")
    state: Literal["pending", "delivered", "dead"]
    attempts: int
    created_at: str = Field(json_schema_extra=DATE_TIME)
    next_try_at: str | None = Field(json_schema_extra=DATE_TIME)
    last_words: str = Field(description="what came of the last try")


class DeliveryPage(Page):
    items: list[Delivery]


class Replayed(BaseModel):
    deliveries: int
