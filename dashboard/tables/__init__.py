"""Tables as files: CSV and XLSX, read and written."""
