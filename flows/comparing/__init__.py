"""What differs between two documents of a flow, as data and in words. Reads; knows nothing of who stands where."""
