"""Who we talk to: companies, contacts, consent, selections, projects, criteria and the events of all of them."""
