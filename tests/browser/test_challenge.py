"""The task of a form that looks attacked, solved by the script in a real browser."""

import hashlib
from pathlib import Path
from urllib.parse import parse_qs

from playwright.sync_api import Browser, Request, Route

from config.launcher.environment import CHECKOUT

ADDRESS = "http://localhost:8998/"  # a browser hashes for pages of https and of this machine
SCRIPT = Path(CHECKOUT / "config" / "static" / "heliograph" / "challenge.js")
SALT, NUMBER = "1900000000.0123456789abcdef", 1234


def test_script_solves_the_task_and_holds_the_form_until_then(browser: Browser) -> None:
    target = hashlib.sha256(f"{SALT}{NUMBER}".encode()).hexdigest()
    text = f"""<form method="post"><input type="hidden" name="challenge" data-work="{SALT}:{target}:60000:signed">
        <button name="go" value="1">Send</button></form><script>{SCRIPT.read_text()}</script>"""
    posted: list[str] = []

    def answer(route: Route, request: Request) -> None:
        if request.method == "POST":
            posted.append(request.post_data or "")
        route.fulfill(body="<p>done</p>" if request.method == "POST" else text, content_type="text/html")

    context = browser.new_context()
    page = context.new_page()
    page.route(f"{ADDRESS}**", answer)
    page.goto(ADDRESS)
    page.get_by_role("button", name="Send").click()  # whether it was solved by then or not
    page.get_by_text("done").wait_for(timeout=60_000)
    context.close()
    assert [parse_qs(body) for body in posted] == [{"challenge": [f"{SALT}:{NUMBER}:signed"], "go": ["1"]}]
