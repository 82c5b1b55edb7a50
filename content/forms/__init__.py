"""Forms: pages that people outside fill in, and what they are made of.

`document` is the form itself, `editing` changes it, `fields` binds it to the CRM; `page`, `style`, `proof`, `mail` and
`urls` are its public side. Django's own form classes stand in content.django_forms, never here.
"""
