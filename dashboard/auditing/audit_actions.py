"""What the audit trail can tell of: a closed set of codes, each with its words. A code never changes its meaning."""

from enum import StrEnum

from flask_babel import lazy_gettext


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
    PERSON_ERASED = "person.erased"
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
    Action.LOGIN: lazy_gettext("Logged in"),
    Action.LOGIN_FAILED: lazy_gettext("Log-in failed"),
    Action.LOGOUT: lazy_gettext("Logged out"),
    Action.PASSWORD_CHANGED: lazy_gettext("Own password changed"),
    Action.FACTOR_BEGUN: lazy_gettext("Set-up of a second factor begun"),
    Action.FACTOR_ADDED: lazy_gettext("Second factor turned on"),
    Action.FACTOR_REMOVED: lazy_gettext("Second factor turned off"),
    Action.RECOVERY_CODES_MADE: lazy_gettext("New recovery codes made"),
    Action.SESSIONS_ENDED: lazy_gettext("Sessions ended"),
    Action.ACCOUNT_CREATED: lazy_gettext("Account created"),
    Action.ACCOUNT_CHANGED: lazy_gettext("Account changed"),
    Action.ACCOUNT_DISABLED: lazy_gettext("Account disabled"),
    Action.ACCOUNT_ENABLED: lazy_gettext("Account enabled"),
    Action.PASSWORD_RESET: lazy_gettext("Password reset"),
    Action.FACTOR_RESET: lazy_gettext("Second factor reset"),
    Action.PERSON_CREATED: lazy_gettext("Person entered"),
    Action.PERSON_CHANGED: lazy_gettext("Person changed"),
    Action.CONSENT_GIVEN: lazy_gettext("Consent recorded"),
    Action.CONSENT_WITHDRAWN: lazy_gettext("Consent withdrawn, face data deleted"),
    Action.PERSON_DEACTIVATED: lazy_gettext("Person deactivated"),
    Action.PERSON_REACTIVATED: lazy_gettext("Person reactivated"),
    Action.PERSON_ERASED: lazy_gettext("Person erased"),
    Action.PICTURE_ADDED: lazy_gettext("Face picture added"),
    Action.PICTURE_DELETED: lazy_gettext("Face picture deleted"),
    Action.FACES_DIFFERENT: lazy_gettext("Look-alike found to be a different person"),
    Action.FACES_SAME: lazy_gettext("Look-alike found to be the same person"),
    Action.KIOSK_ENROLMENT_BEGUN: lazy_gettext("Enrolment at a kiosk begun"),
    Action.KIOSK_ENROLMENT_ENDED: lazy_gettext("Enrolment at a kiosk ended without pictures"),
    Action.KIOSK_CHANGED: lazy_gettext("Kiosk changed"),
    Action.PEOPLE_IMPORTED: lazy_gettext("People imported from a table"),
    Action.DEPARTMENT_RENAMED: lazy_gettext("Department renamed"),
    Action.SHIFT_CREATED: lazy_gettext("Shift pattern made"),
    Action.SHIFT_CHANGED: lazy_gettext("Shift pattern changed"),
    Action.SHIFT_ASSIGNED: lazy_gettext("Shift pattern assigned"),
    Action.SITE_CREATED: lazy_gettext("Site made"),
    Action.SITE_CHANGED: lazy_gettext("Site changed"),
    Action.HOLIDAYS_ADDED: lazy_gettext("Holidays entered"),
    Action.HOLIDAY_REMOVED: lazy_gettext("Holiday removed"),
    Action.LEAVE_ENTERED: lazy_gettext("Leave entered"),
    Action.LEAVE_WITHDRAWN: lazy_gettext("Leave withdrawn"),
    Action.CORRECTION_ASKED: lazy_gettext("Correction of a punch asked for"),
    Action.CORRECTION_APPROVED: lazy_gettext("Correction of a punch approved"),
    Action.CORRECTION_REFUSED: lazy_gettext("Correction of a punch refused"),
    Action.CORRECTION_WITHDRAWN: lazy_gettext("Correction of a punch withdrawn"),
    Action.API_KEY_MADE: lazy_gettext("API key made"),
    Action.API_KEY_REVOKED: lazy_gettext("API key revoked"),
    Action.WEBHOOK_ADDED: lazy_gettext("Webhook added"),
    Action.WEBHOOK_REMOVED: lazy_gettext("Webhook removed"),
    Action.WEBHOOK_ROTATED: lazy_gettext("Secret of a webhook replaced"),
    Action.WEBHOOK_ENABLED: lazy_gettext("Webhook taken up again"),
    Action.WEBHOOK_REPLAYED: lazy_gettext("What failed of a webhook sent again"),
    Action.FRAPPE_CONNECTED: lazy_gettext("Frappe HR connected"),
    Action.FRAPPE_RETRIED: lazy_gettext("Punches pushed to Frappe HR again"),
    Action.FRAPPE_REMOVED: lazy_gettext("Frappe HR no longer connected"),
    Action.CALIBRATION_LOOKED: lazy_gettext("Calibration looked at"),
    Action.CALIBRATION_APPLIED: lazy_gettext("Stricter limit applied"),
    Action.CALIBRATION_RESET: lazy_gettext("Limit taken back"),
    Action.MODEL_COMING: lazy_gettext("Change of model begun"),
    Action.MODEL_USED: lazy_gettext("Model in use changed"),
    Action.MODEL_CANCELLED: lazy_gettext("Change of model given up"),
    Action.FILTER_SAVED: lazy_gettext("Filter kept under a name"),
    Action.FILTER_REMOVED: lazy_gettext("Kept filter removed"),
    Action.ATTENDANCE_EXPORTED: lazy_gettext("Attendance exported"),
    Action.PEOPLE_EXPORTED: lazy_gettext("People exported"),
    Action.MONTH_EXPORTED: lazy_gettext("Month exported"),
    Action.TRAIL_EXPORTED: lazy_gettext("Audit trail exported"),
}
"""An action without words fails a test."""
