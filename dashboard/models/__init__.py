"""Tables, as SQLAlchemy 2 typed models. Times are UTC milliseconds (`…_ms`): SQLite keeps no zones and payroll can't guess."""

from dashboard.models.accounts import User
from dashboard.models.api import ApiKey, IdempotentAnswer
from dashboard.models.attendance import AttendanceEvent, DecisionRecord, EventPicture, Kiosk
from dashboard.models.base import Base
from dashboard.models.outgoing import Change, Connector, Delivery, Push, Webhook
from dashboard.models.people import Employee, EnrolmentPicture, Template
from dashboard.models.serving import Calibration, GalleryOutbox, GalleryPublication, GalleryShard, ServingModel

__all__ = [
    "ApiKey",
    "AttendanceEvent",
    "Base",
    "Calibration",
    "Change",
    "Connector",
    "DecisionRecord",
    "Delivery",
    "Employee",
    "EnrolmentPicture",
    "EventPicture",
    "GalleryOutbox",
    "GalleryPublication",
    "GalleryShard",
    "IdempotentAnswer",
    "Kiosk",
    "Push",
    "ServingModel",
    "Template",
    "User",
    "Webhook",
]
