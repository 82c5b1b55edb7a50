"""Ways out of the house. A channel hands one mail over and says what became of it; it knows no rows."""
