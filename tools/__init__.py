"""Scripts for people who work on Millrace: set-up, lock files, checks. No app imports them."""
