"""The story of the main job: once by operations, once in Chromium."""
