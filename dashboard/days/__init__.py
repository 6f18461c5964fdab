"""The rules of a working day, as pure functions: punches, corrections and a plan go in, a day with its minutes comes out.

No database, no web, no clock: whoever asks passes `as_of_ms`. Times are UTC milliseconds; a wall clock is read only to
place a shift on the calendar (`clock`). The way of a day through the files:

    corrections   what punches say after HR corrected them
    calendar      which day a punch belongs to
    punches       double punches, in and out, stretches between them
    rounding, breaks, overtime, days_off     the rules, one each
    day           all of it for one day
    month         a row of days, and their totals

docs/attendance-rules.md says the same to a clerk.
"""
