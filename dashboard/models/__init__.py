"""Tables, as SQLAlchemy 2 typed models. Times are UTC milliseconds (`…_ms`): SQLite keeps no zones and payroll can't guess."""

from dashboard.models.accounts import User
from dashboard.models.attendance import AttendanceEvent, DecisionRecord, EventPicture, Kiosk
from dashboard.models.base import Base
from dashboard.models.likeness import LikenessDecision
from dashboard.models.people import Employee, EnrolmentPicture, Template
from dashboard.models.serving import Calibration, GalleryOutbox, GalleryPublication, GalleryShard, ServingModel

__all__ = [
    "AttendanceEvent",
    "Base",
    "Calibration",
    "DecisionRecord",
    "Employee",
    "EnrolmentPicture",
    "EventPicture",
    "GalleryOutbox",
    "GalleryPublication",
    "GalleryShard",
    "Kiosk",
    "LikenessDecision",
    "ServingModel",
    "Template",
    "User",
]
