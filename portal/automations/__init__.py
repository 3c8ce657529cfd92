"""What the portal wing adds to automations: triggers, steps and recipients."""
