"""The roles of accounts, and how they are said. What each may do is in dashboard/access/rights.py.

An account may have several: the clerk who is an employee too, or, in a small firm, one person for everything.
"""

from enum import StrEnum

from flask_babel import lazy_gettext


class Role(StrEnum):
    EMPLOYEE = "employee"
    SUPERVISOR = "supervisor"
    HR = "hr"
    OPERATOR = "operator"
    AUDITOR = "auditor"


WORDS = {
    Role.EMPLOYEE: lazy_gettext("Employee"),
    Role.SUPERVISOR: lazy_gettext("Supervisor"),
    Role.HR: "HR",
    Role.OPERATOR: lazy_gettext("Operator"),
    Role.AUDITOR: lazy_gettext("Auditor"),
}
HINTS = {
    Role.EMPLOYEE: lazy_gettext("Sees their own records only. The account must be linked to the person."),
    Role.SUPERVISOR: lazy_gettext("Sees the people and records of the departments chosen below; no faces."),
    Role.HR: lazy_gettext("Everything about people and attendance, and the accounts."),
    Role.OPERATOR: lazy_gettext("Kiosks, workers and their health; no people."),
    Role.AUDITOR: lazy_gettext("Reads everything, the audit trail too, and changes nothing."),
}
FIRST_USER = frozenset({Role.HR, Role.OPERATOR})
"""Of the account that an installation begins with: together they may do all that a site needs."""
MANAGER = Role.HR
"""Looks after accounts. Not the operator, who could make themselves HR by it and see what an operator is not to see."""


def parse(text: str) -> frozenset[Role]:
    """Roles with commas between; raises ValueError naming the one that isn't known."""
    found = set()
    for part in filter(None, (part.strip().lower() for part in text.split(","))):
        if part not in set(Role):
            raise ValueError(f"role {part[:40]!r}: not known; roles are {', '.join(Role)}")
        found.add(Role(part))
    return frozenset(found)


def listed(roles: frozenset[Role]) -> str:
    """Such as `hr,operator`, always in the same order."""
    return ",".join(role for role in Role if role in roles)
