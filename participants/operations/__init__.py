"""What can be done to participants. Every verb is keyword-only and one transaction, or a slice of a job."""
