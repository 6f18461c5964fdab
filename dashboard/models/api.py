"""Who may use the API, and the answers that a request sent twice gets again."""

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.models.base import Base


class ApiKey(Base):
    """A key of another system. Of its secret only the SHA-256 is kept; `id` is the part by which people recognise it."""

    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_sha256: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(String(500))
    """With spaces between; see dashboard/api/keys.py."""
    created_ms: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(64))
    expires_ms: Mapped[int | None]
    last_used_ms: Mapped[int | None]
    """To the minute: it isn't written at every request."""
    revoked_ms: Mapped[int | None]


class IdempotentAnswer(Base):
    """What a key's request with that Idempotency-Key was answered; without a status it is still being worked on."""

    __tablename__ = "api_idempotency"
    api_key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    holder: Mapped[str] = mapped_column(String(64))
    """Of the request that works on it."""
    held_until_ms: Mapped[int]
    created_ms: Mapped[int] = mapped_column(index=True)
    status: Mapped[int | None]
    headers_json: Mapped[str] = mapped_column(String(1000), default="{}")
    body: Mapped[str] = mapped_column(Text, default="")
