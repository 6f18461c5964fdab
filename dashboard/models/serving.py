"""What workers are given: the gallery's changes, the model that serves, and how strict the site is with it."""

from sqlalchemy import CheckConstraint, Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.models.base import Base


class GalleryOutbox(Base):
    """Changes of the gallery, written in the transaction that made them.

    The gallery's version is given when a change is published, not taken from the id: ids have gaps (transactions that
    were rolled back) and needn't rise in the order of the commits.
    """

    __tablename__ = "gallery_outbox"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 an id must never name another change later
    id: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str] = mapped_column(String(6))
    employee_id: Mapped[str | None] = mapped_column(String(64))
    model_id: Mapped[str] = mapped_column(String(128))
    created_ms: Mapped[int]


class GalleryShard(Base):
    """A shard whose workers get the gallery, the highest version published to it, and when its publisher was last there."""

    __tablename__ = "gallery_shards"
    shard: Mapped[str] = mapped_column(String(16), primary_key=True)
    version: Mapped[int]
    seen_ms: Mapped[int]


class GalleryPublication(Base):
    """A change that a shard has; once all have it, both rows are deleted (dashboard/gallery/outbox.py)."""

    __tablename__ = "gallery_publications"
    outbox_id: Mapped[int] = mapped_column(ForeignKey("gallery_outbox.id", ondelete="CASCADE"), primary_key=True)
    shard: Mapped[str] = mapped_column(String(16), primary_key=True)


class ServingModel(Base):
    """The one row (id 1) that says which model serves, which is coming, and who brings it; see dashboard/gallery/serving.py."""

    __tablename__ = "serving_model"
    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    epoch: Mapped[int]
    model_id: Mapped[str | None] = mapped_column(String(128))
    """None: what the workers' own settings say."""
    previous: Mapped[str | None] = mapped_column(String(128))
    coming: Mapped[str | None] = mapped_column(String(128))
    holder: Mapped[str | None] = mapped_column(String(64))
    """Token of the command that brings the coming model, while it lives."""
    held_until_ms: Mapped[int]


class Calibration(Base):
    """A look at how alike the site's own people are, or a change of the site's limit that followed; only ever added to.

    The newest row of a model says which limit is in force; see dashboard/gallery/calibration.py.
    """

    __tablename__ = "calibrations"
    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(String(128), index=True)
    made_ms: Mapped[int]
    made_by: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(8))
    people: Mapped[int]
    """Looked at; 0 for a reset, which looks at nobody."""
    matches: Mapped[int]
    """Pairs of different people that were within the threshold."""
    threshold: Mapped[float] = mapped_column(Float)
    """The distance that served when it was made."""
    site_limit: Mapped[float | None] = mapped_column(Float)
    """The limit in force after it; None: the bundle's rule alone."""
    __table_args__ = (CheckConstraint("action IN ('look', 'apply', 'reset')", name="calibration_action"),)
