"""What the audit trail can tell of: a closed set of codes, each with its words. A code never changes its meaning."""

from enum import StrEnum


class Action(StrEnum):
    LOGIN = "login"
    LOGIN_FAILED = "login.failed"
    LOGOUT = "logout"
    PASSWORD_CHANGED = "password.changed"
    FACTOR_BEGUN = "factor.begun"
    FACTOR_ADDED = "factor.added"
    FACTOR_REMOVED = "factor.removed"
    RECOVERY_CODES_MADE = "factor.codes"
    SESSIONS_ENDED = "sessions.ended"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_CHANGED = "account.changed"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    PASSWORD_RESET = "account.password_reset"
    FACTOR_RESET = "account.factor_reset"
    PERSON_CREATED = "person.created"
    PERSON_CHANGED = "person.changed"
    CONSENT_GIVEN = "person.consent_given"
    CONSENT_WITHDRAWN = "person.consent_withdrawn"
    PERSON_DEACTIVATED = "person.deactivated"
    PERSON_REACTIVATED = "person.reactivated"
    PICTURE_ADDED = "picture.added"
    PICTURE_DELETED = "picture.deleted"
    FACES_DIFFERENT = "faces.different"
    FACES_SAME = "faces.same"
    KIOSK_ENROLMENT_BEGUN = "kiosk_enrolment.begun"
    KIOSK_ENROLMENT_ENDED = "kiosk_enrolment.ended"
    KIOSK_CHANGED = "kiosk.changed"
    PEOPLE_IMPORTED = "people.imported"
    DEPARTMENT_RENAMED = "department.renamed"
    SHIFT_CREATED = "shift.created"
    SHIFT_CHANGED = "shift.changed"
    SHIFT_ASSIGNED = "shift.assigned"
    SITE_CREATED = "site.created"
    SITE_CHANGED = "site.changed"
    HOLIDAYS_ADDED = "holiday.added"
    HOLIDAY_REMOVED = "holiday.removed"
    LEAVE_ENTERED = "leave.entered"
    LEAVE_WITHDRAWN = "leave.withdrawn"
    CORRECTION_ASKED = "correction.asked"
    CORRECTION_APPROVED = "correction.approved"
    CORRECTION_REFUSED = "correction.refused"
    CORRECTION_WITHDRAWN = "correction.withdrawn"
    API_KEY_MADE = "api_key.made"
    API_KEY_REVOKED = "api_key.revoked"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_ENABLED = "webhook.enabled"
    WEBHOOK_REPLAYED = "webhook.replayed"
    FRAPPE_CONNECTED = "frappe.connected"
    FRAPPE_RETRIED = "frappe.retried"
    FRAPPE_REMOVED = "frappe.removed"
    CALIBRATION_LOOKED = "calibration.looked"
    CALIBRATION_APPLIED = "calibration.applied"
    CALIBRATION_RESET = "calibration.reset"
    MODEL_COMING = "model.coming"
    MODEL_USED = "model.used"
    MODEL_CANCELLED = "model.cancelled"
    FILTER_SAVED = "filter.saved"
    FILTER_REMOVED = "filter.removed"
    ATTENDANCE_EXPORTED = "export.attendance"
    PEOPLE_EXPORTED = "export.people"
    MONTH_EXPORTED = "export.month"
    TRAIL_EXPORTED = "export.trail"


WORDS = {
    Action.LOGIN: "Logged in",
    Action.LOGIN_FAILED: "Log-in failed",
    Action.LOGOUT: "Logged out",
    Action.PASSWORD_CHANGED: "Own password changed",
    Action.FACTOR_BEGUN: "Set-up of a second factor begun",
    Action.FACTOR_ADDED: "Second factor turned on",
    Action.FACTOR_REMOVED: "Second factor turned off",
    Action.RECOVERY_CODES_MADE: "New recovery codes made",
    Action.SESSIONS_ENDED: "Sessions ended",
    Action.ACCOUNT_CREATED: "Account created",
    Action.ACCOUNT_CHANGED: "Account changed",
    Action.ACCOUNT_DISABLED: "Account disabled",
    Action.ACCOUNT_ENABLED: "Account enabled",
    Action.PASSWORD_RESET: "Password reset",
    Action.FACTOR_RESET: "Second factor reset",
    Action.PERSON_CREATED: "Person entered",
    Action.PERSON_CHANGED: "Person changed",
    Action.CONSENT_GIVEN: "Consent recorded",
    Action.CONSENT_WITHDRAWN: "Consent withdrawn, face data deleted",
    Action.PERSON_DEACTIVATED: "Person deactivated",
    Action.PERSON_REACTIVATED: "Person reactivated",
    Action.PICTURE_ADDED: "Face picture added",
    Action.PICTURE_DELETED: "Face picture deleted",
    Action.FACES_DIFFERENT: "Look-alike found to be a different person",
    Action.FACES_SAME: "Look-alike found to be the same person",
    Action.KIOSK_ENROLMENT_BEGUN: "Enrolment at a kiosk begun",
    Action.KIOSK_ENROLMENT_ENDED: "Enrolment at a kiosk ended without pictures",
    Action.KIOSK_CHANGED: "Kiosk changed",
    Action.PEOPLE_IMPORTED: "People imported from a table",
    Action.DEPARTMENT_RENAMED: "Department renamed",
    Action.SHIFT_CREATED: "Shift pattern made",
    Action.SHIFT_CHANGED: "Shift pattern changed",
    Action.SHIFT_ASSIGNED: "Shift pattern assigned",
    Action.SITE_CREATED: "Site made",
    Action.SITE_CHANGED: "Site changed",
    Action.HOLIDAYS_ADDED: "Holidays entered",
    Action.HOLIDAY_REMOVED: "Holiday removed",
    Action.LEAVE_ENTERED: "Leave entered",
    Action.LEAVE_WITHDRAWN: "Leave withdrawn",
    Action.CORRECTION_ASKED: "Correction of a punch asked for",
    Action.CORRECTION_APPROVED: "Correction of a punch approved",
    Action.CORRECTION_REFUSED: "Correction of a punch refused",
    Action.CORRECTION_WITHDRAWN: "Correction of a punch withdrawn",
    Action.API_KEY_MADE: "API key made",
    Action.API_KEY_REVOKED: "API key revoked",
    Action.WEBHOOK_ADDED: "Webhook added",
    Action.WEBHOOK_REMOVED: "Webhook removed",
    Action.WEBHOOK_ROTATED: "Secret of a webhook replaced",
    Action.WEBHOOK_ENABLED: "Webhook taken up again",
    Action.WEBHOOK_REPLAYED: "What failed of a webhook sent again",
    Action.FRAPPE_CONNECTED: "Frappe HR connected",
    Action.FRAPPE_RETRIED: "Punches pushed to Frappe HR again",
    Action.FRAPPE_REMOVED: "Frappe HR no longer connected",
    Action.CALIBRATION_LOOKED: "Calibration looked at",
    Action.CALIBRATION_APPLIED: "Stricter limit applied",
    Action.CALIBRATION_RESET: "Limit taken back",
    Action.MODEL_COMING: "Change of model begun",
    Action.MODEL_USED: "Model in use changed",
    Action.MODEL_CANCELLED: "Change of model given up",
    Action.FILTER_SAVED: "Filter saved",
    Action.FILTER_REMOVED: "Filter removed",
    Action.ATTENDANCE_EXPORTED: "Attendance exported",
    Action.PEOPLE_EXPORTED: "People exported",
    Action.MONTH_EXPORTED: "Month exported",
    Action.TRAIL_EXPORTED: "Audit trail exported",
}
"""An action without words fails a test."""
