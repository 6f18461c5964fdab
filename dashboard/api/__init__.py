"""The REST API: what payroll and HR systems read and change, and its description."""
