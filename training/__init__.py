"""From pictures of faces to a model bundle. So far: writing a bundle that the worker accepts (`export.py`)."""
