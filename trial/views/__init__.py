"""Pages of the trial: the mailbox, and the clock of a trial tenant."""
