"""The REST API: thin over the rooms. `gate` settles who asks, `problems` is the one shape of every refusal."""
