"""What an account may do: its roles, the departments that it looks after, and the person that it belongs to."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dashboard.access import login_sessions
from dashboard.access.accounts import AccountError
from dashboard.access.roles import MANAGER, WORDS, Role, listed
from dashboard.database import now_ms
from dashboard.models import Employee, User, UserDepartment, UserRole
from dashboard.people.employees import find_by_code

MAX_DEPARTMENTS = 100
MAX_DEPARTMENT = 200
"""Characters, as the column has them."""


@dataclass(frozen=True)
class Rights:
    """`code` is that of the person the account belongs to; empty for none."""

    roles: frozenset[Role] = frozenset()
    departments: frozenset[str] = field(default=frozenset())
    code: str = ""

    def shown(self) -> dict[str, object]:
        return {"roles": listed(self.roles), "departments": sorted(self.departments), "person": self.code}


def roles_of(session: Session, user_id: int) -> frozenset[Role]:
    return frozenset(map(Role, session.scalars(select(UserRole.role).where(UserRole.user_id == user_id))))


def departments_of(session: Session, user_id: int) -> frozenset[str]:
    return frozenset(session.scalars(select(UserDepartment.department).where(UserDepartment.user_id == user_id)))


def departments_of_all(session: Session, user_ids: Collection[int]) -> dict[int, list[str]]:
    """By account those that it looks after, by name."""
    found: dict[int, list[str]] = {user_id: [] for user_id in user_ids}
    row = UserDepartment
    query = select(row.user_id, row.department).where(row.user_id.in_(user_ids)).order_by(row.department)
    for user_id, department in session.execute(query):
        found[user_id].append(department)
    return found


def all_departments(session: Session) -> set[str]:
    """Those that any account looks after, whether anybody is in them or not."""
    return set(session.scalars(select(UserDepartment.department).distinct()))


def read(session: Session, user: User) -> Rights:
    employee = session.get(Employee, user.employee_id) if user.employee_id else None
    return Rights(
        roles_of(session, user.id), departments_of(session, user.id), employee.code if employee is not None else ""
    )


def noted(session: Session, rights: Rights) -> dict[str, object]:
    """As the audit trail tells of it: the person by their id."""
    employee = find_by_code(session, rights.code) if rights.code else None
    return {**rights.shown(), "person": employee.id if employee is not None else ""}


def parse(roles: Iterable[str], departments: Iterable[str], code: str) -> Rights:
    """What a form or a command says; raises AccountError."""
    known = set(Role)
    chosen = list(roles)
    wrong = next((role for role in chosen if role not in known), None)
    if wrong is not None:
        raise AccountError(_("role %(role)r: not known; roles are %(known)s", role=wrong[:40], known=", ".join(Role)))
    looked_after = {text for text in (one.strip() for one in departments) if text}
    if len(looked_after) > MAX_DEPARTMENTS or any(len(text) > MAX_DEPARTMENT for text in looked_after):
        raise AccountError(
            _(
                "departments: at most %(most)s, of at most %(longest)s characters each",
                most=MAX_DEPARTMENTS,
                longest=MAX_DEPARTMENT,
            )
        )
    return Rights(frozenset(map(Role, chosen)), frozenset(looked_after), code.strip())


def change(session: Session, user: User, wanted: Rights) -> None:
    """Give an account these rights instead of those it has. Raises AccountError, saying what doesn't go together."""
    lock_managers(session)
    employee = _person(session, user, wanted)
    if not wanted.roles:
        raise AccountError(_("roles: choose at least one, of %(known)s", known=", ".join(map(str, WORDS.values()))))
    if Role.SUPERVISOR in wanted.roles and not wanted.departments:
        raise AccountError(_("departments: choose at least one for a supervisor, who sees nobody otherwise"))
    if Role.EMPLOYEE in wanted.roles and employee is None:
        raise AccountError(_("person: an employee’s account must be linked to a person; give their code"))
    for table in (UserRole, UserDepartment):
        session.execute(delete(table).where(table.user_id == user.id))
    session.add_all(UserRole(user_id=user.id, role=role) for role in wanted.roles)
    looked_after = wanted.departments if Role.SUPERVISOR in wanted.roles else frozenset()
    session.add_all(UserDepartment(user_id=user.id, department=department) for department in looked_after)
    user.employee_id = employee.id if employee is not None else None
    session.flush()
    require_a_manager(session)


def _person(session: Session, user: User, wanted: Rights) -> Employee | None:
    if not wanted.code:
        return None
    employee = find_by_code(session, wanted.code)
    if employee is None:
        raise AccountError(_("person: nobody has the code %(code)r", code=wanted.code[:64]))
    other = session.scalar(select(User.name).where(User.employee_id == employee.id, User.id != user.id))
    if other is not None:
        raise AccountError(_("person: %(code)r has an account already, %(other)r", code=wanted.code[:64], other=other))
    return employee


def disable(session: Session, user: User) -> None:
    """Nobody logs in with it any more; its sessions end. Raises AccountError for the last that manages accounts."""
    lock_managers(session)
    if user.disabled_ms is None:
        user.disabled_ms = now_ms()
    login_sessions.end(session, user.id)
    session.flush()
    require_a_manager(session)


def lock_managers(session: Session) -> None:
    """Two people who take each other's rights away follow each other, and the second is refused."""
    session.scalars(_managers().with_for_update(of=User)).all()


def require_a_manager(session: Session) -> None:
    """Raise AccountError where nobody would be left who may manage accounts."""
    if session.scalars(_managers().limit(1)).first() is None:
        raise AccountError(
            _(
                "this is the last account with the role %(role)s, which looks after accounts; give it to another first",
                role=WORDS[MANAGER],
            )
        )


def _managers() -> Any:
    managing = select(UserRole.user_id).where(UserRole.role == MANAGER.value)
    return select(User.id).where(User.id.in_(managing), User.disabled_ms.is_(None))
