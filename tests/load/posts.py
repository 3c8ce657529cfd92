"""Clients that post to a web server, each on a connection of its own, one request after the other."""

import http.client
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


class PostProblem(Exception):
    """The server did not take a request; the text holds its answer."""


@dataclass(frozen=True)
class Post:
    """A request, made before the clock runs."""

    path: str
    body: bytes
    headers: Mapping[str, str]


def post_all(url: str, posts: Sequence[Post], *, clients: int, expect: int) -> tuple[list[float], float]:
    """Post everything and return how long each took, in milliseconds, and how many seconds it took in all.

    Raises PostProblem where one was not answered with the status `expect`.
    """
    waits: list[float] = []
    problems: list[Exception] = []
    address = urlsplit(url)
    numbered = iter(posts)
    lock = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
        try:
            while not problems:
                with lock:
                    post = next(numbered, None)
                if post is None:
                    return
                asked = time.perf_counter()
                connection.request("POST", post.path, body=post.body, headers=dict(post.headers))
                answer = connection.getresponse()
                content = answer.read()
                waits.append((time.perf_counter() - asked) * 1000)
                if answer.status != expect:
                    raise PostProblem(f"{answer.status}: {content[:300].decode(errors='replace')}")
        except (PostProblem, OSError, http.client.HTTPException) as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if problems:
        raise PostProblem(str(problems[0])) from problems[0]
    return waits, seconds
