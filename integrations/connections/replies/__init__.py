"""Where Twilio sends what people write: look, set, put back."""
