"""What days are measured by: sites, shifts, holidays, leave."""
