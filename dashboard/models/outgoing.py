"""What other systems are told: changes that wait to be shared out, webhooks and their deliveries, connectors and theirs."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.models.base import Base


class Change(Base):
    """Something that others may want to know, written in the transaction that made it; gone once it is shared out.

    It holds ids alone: what is told is read when it is sent, so nothing here can make the transaction fail.
    """

    __tablename__ = "changes"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    """Of the attendance event or the employee; no foreign key, since either may be gone before it is told."""
    created_ms: Mapped[int] = mapped_column(index=True)


class Webhook(Base):
    """An address that is told of changes, and the secret that signs what is sent (it must be readable to sign)."""

    __tablename__ = "webhooks"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    url: Mapped[str] = mapped_column(String(2000))
    kinds: Mapped[str] = mapped_column(String(500))
    """With spaces between."""
    secret: Mapped[str] = mapped_column(String(100))
    previous_secret: Mapped[str | None] = mapped_column(String(100))
    previous_until_ms: Mapped[int | None]
    created_ms: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(64))
    failing_since_ms: Mapped[int | None]
    disabled_ms: Mapped[int | None]
    disabled_why: Mapped[str] = mapped_column(String(500), default="")


class Delivery(Base):
    """One change for one webhook. `state` is pending, delivered or dead; `change_id` is the webhook-id, also when resent."""

    __tablename__ = "webhook_deliveries"
    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    change_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    created_ms: Mapped[int]
    state: Mapped[str] = mapped_column(String(9), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    tried_since_ms: Mapped[int]
    """The three days of trying count from here; a replay begins anew."""
    next_try_ms: Mapped[int]
    last_words: Mapped[str] = mapped_column(String(500), default="")
    """What came of the last try."""
    finished_ms: Mapped[int | None]
    webhook: Mapped[Webhook] = relationship()
    __table_args__ = (
        UniqueConstraint("webhook_id", "change_id", name="change_once_per_webhook"),
        Index("delivery_due", "state", "next_try_ms"),
        CheckConstraint("state IN ('pending', 'delivered', 'dead')", name="delivery_state"),
    )


class Connector(Base):
    """A product that punches are pushed to; one row each, there while it is connected. Its credentials are settings."""

    __tablename__ = "connectors"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    connected_ms: Mapped[int]
    synced_until_ms: Mapped[int | None]
    """Up to here the other side was told that all punches are there."""
    next_try_ms: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    """In a row; the pause grows with them."""
    trouble: Mapped[str] = mapped_column(String(500), default="")
    """Why nothing gets through at present."""


class Push(Base):
    """One punch for one connector. `state` is pending, done, unknown_employee, inactive_employee or refused."""

    __tablename__ = "connector_pushes"
    id: Mapped[int] = mapped_column(primary_key=True)
    connector: Mapped[str] = mapped_column(ForeignKey("connectors.name", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20), default="pending")
    words: Mapped[str] = mapped_column(String(500), default="")
    """What the other side answered."""
    changed_ms: Mapped[int]
    __table_args__ = (
        UniqueConstraint("connector", "event_id", name="event_once_per_connector"),
        Index("push_by_state", "connector", "state", "id"),
        CheckConstraint(
            "state IN ('pending', 'done', 'unknown_employee', 'inactive_employee', 'refused')", name="push_state"
        ),
    )
