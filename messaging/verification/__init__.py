"""Prove that a phone number belongs to somebody: by Twilio Verify or by a code of our own."""
