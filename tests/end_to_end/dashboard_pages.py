"""The dashboard's pages, for what must hold on each of them."""

FIXED = (
    *(
        "live",
        "attendance",
        "charts",
        "people",
        "people/new",
        "people/import",
        "people/from-folder",
        "people/departments",
        "months",
        "week",
        "day",
        "corrections",
    ),
    *("shifts", "shifts/new", "sites", "sites/0/holidays", "kiosks", "models", "health", "settings"),
    *("accounts", "accounts/new", "accounts/1", "audit", "connections", "account", "password", "api/v1/docs"),
)


def paths(employee_id: str) -> tuple[str, ...]:
    """All that HR may open, with those of one person."""
    return (
        *FIXED,
        *(
            f"people/{employee_id}{page}"
            for page in ("", "/month", "/leave", "/at-kiosk", "/corrections/new", "/erase")
        ),
    )
