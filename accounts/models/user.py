"""A person who signs in. Global: one user may be a member of several tenants."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from core.text import norm_email


class UserManager(BaseUserManager["User"]):
    """Makes users by email address."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=norm_email(username or ""))

    def create_user(self, *, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user; without a password nobody can sign in until one is set."""
        user = self.model(email=norm_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, *, email: str, password: str, **fields: Any) -> User:
        """Create an operator of the installation."""
        return self.create_user(email=email, password=password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A sign-in: email address (normalised), name, password and second factors (allauth)."""

    email = models.EmailField(unique=True)
    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    objects = UserManager()

    def __str__(self) -> str:
        return self.get_full_name()

    def get_full_name(self) -> str:
        """Return the name, or the address where there is none."""
        return f"{self.first_name} {self.last_name}".strip() or self.email

    def get_short_name(self) -> str:
        """Return the first name, or the address."""
        return self.first_name or self.email
