"""Tables, as SQLAlchemy 2 typed models. Times are UTC milliseconds (`…_ms`): SQLite keeps no zones and payroll can't guess."""

from dashboard.models.accounts import LoginSession, RecoveryCode, SecondFactor, User, UserDepartment, UserRole
from dashboard.models.api import ApiKey, IdempotentAnswer
from dashboard.models.attendance import AttendanceEvent, DecisionRecord, EventPicture, Kiosk
from dashboard.models.audit import AuditEntry
from dashboard.models.base import Base
from dashboard.models.likeness import LikenessDecision
from dashboard.models.outgoing import Change, Connector, Delivery, Push, Webhook
from dashboard.models.people import Employee, EnrolmentPicture, Template
from dashboard.models.rules import (
    Assignment,
    Correction,
    Holiday,
    Leave,
    ShiftPattern,
    ShiftPatternVersion,
    Site,
)
from dashboard.models.saved_filters import SavedFilter
from dashboard.models.serving import Calibration, GalleryOutbox, GalleryPublication, GalleryShard, ServingModel
from dashboard.models.swaps import SwapRun

__all__ = [
    "ApiKey",
    "Assignment",
    "AttendanceEvent",
    "AuditEntry",
    "Base",
    "Calibration",
    "Change",
    "Connector",
    "Correction",
    "DecisionRecord",
    "Delivery",
    "Employee",
    "EnrolmentPicture",
    "EventPicture",
    "GalleryOutbox",
    "GalleryPublication",
    "GalleryShard",
    "Holiday",
    "IdempotentAnswer",
    "Kiosk",
    "Leave",
    "LikenessDecision",
    "LoginSession",
    "Push",
    "RecoveryCode",
    "SavedFilter",
    "SecondFactor",
    "ServingModel",
    "ShiftPattern",
    "ShiftPatternVersion",
    "Site",
    "SwapRun",
    "Template",
    "User",
    "UserDepartment",
    "UserRole",
    "Webhook",
]
