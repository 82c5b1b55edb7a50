"""What Millrace needs of PostgreSQL beyond the ORM: security of tenant tables, partitions, raw cursors."""
