"""What of flows goes to who takes over when a member leaves: the flows in their name (core.handover)."""

from __future__ import annotations

from core.handover import Owned, Room

HANDOVER = Room((Owned("flows_flow", "owner_id", ("flow", "flows"), where="deleted_at IS NULL"),))
