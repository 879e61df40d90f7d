"""The networks and inputs that these tests share."""

from made_networks import face_like, one_thread, trained_like

__all__ = ["face_like", "one_thread", "trained_like"]
