"""An uploaded table, whichever kind of file it is; its content says, not its name."""

from pathlib import Path

from dashboard.tables import table_csv, table_xlsx
from dashboard.tables.tables import Table


def read(path: Path) -> Table:
    """Raises tables.BadTable, also while its rows are read."""
    return table_xlsx.read(path) if table_xlsx.is_xlsx(path) else table_csv.read(path)
