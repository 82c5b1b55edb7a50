"""Template helpers of participants."""
