def describe_readiness() -> dict: return {"status": "ready"}
