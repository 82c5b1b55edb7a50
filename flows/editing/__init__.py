"""Pure operations on a flow document: document in, document out. No database, no request, no clock."""
