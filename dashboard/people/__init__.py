"""Employees and departments: lists, a person's page, import and export."""
