"""The charts: arrivals, lateness and occupancy of a period, and what became of people at each door.

Each chart has a file that reads its figures (by SQL) and makes them into what is drawn (pure functions). The page shows
the same figures as tables, and the script draws from these, so that nobody reads other numbers than others see.
docs/charts.md says what each figure means.
"""
