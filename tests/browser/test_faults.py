"""Valkey and workers killed under a running product: the API goes on taking messages, and they go out afterwards."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import requests

from .conftest import PASSWORD, Product

TO = "+12065550123"


def pids(product: Product) -> dict[str, int]:
    return json.loads((Path(product.environment["HELIOGRAPH_DATA"]) / "processes.json").read_text())


def wait_for(what: Any, *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.2)


def test_message_taken_while_valkey_and_workers_are_dead_is_delivered_once_when_they_are_back(product: Product) -> None:
    made = product.manage("create_org", "--name", "Faults", "--owner", "faults@example.com", "--password", PASSWORD)
    product.manage("connect_twilio", "--org", made["slug"], "--sandbox")
    key = product.manage("create_api_key", "--org", made["slug"], "--name", "drill")["key"]
    api, headers = f"{product.address}/api/v1/messages", {"Authorization": f"Bearer {key}"}
    for name, pid in pids(product).items():
        if name.startswith(("valkey", "worker", "beat")):
            os.kill(pid, signal.SIGKILL)
    answers = [
        requests.post(api, json={"to": TO, "body": f"Number {number}"}, headers=headers, timeout=10)
        for number in range(5)
    ]
    assert [answer.status_code for answer in answers] == [202] * 5
    assert max(answer.elapsed.total_seconds() for answer in answers) < 2

    def all_arrived() -> bool:
        found = requests.get(api, headers=headers, timeout=10).json()["items"]
        return [message["status"] for message in found] == ["delivered"] * 5

    wait_for(all_arrived, seconds=60)
    for message in requests.get(api, headers=headers, timeout=10).json()["items"]:
        assert message["attempts"] == 1

    def is_ready() -> bool:
        return requests.get(f"{product.address}/health/ready", timeout=10).json()["status"] == "ready"

    wait_for(is_ready, seconds=30)
