"""From pictures to templates: guided, uploaded, at a kiosk."""
