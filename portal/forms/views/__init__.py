"""Members' pages of public forms: building them, settling what surrounds them, reading what was sent."""
