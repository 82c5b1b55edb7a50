"""Who may do what: tenants, users, memberships, groups, roles, rights, licences, audit."""
