"""Flask: enrolment, attendance records and the recorder that writes decisions down."""
