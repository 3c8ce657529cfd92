"""Whatever fails before a request reaches the API's gate, or falls through it, still leaves as a problem."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .problems import as_problem


class ProblemMiddleware:
    """Turn every refusal and every fault below /api into a problem; belongs at the very top of MIDDLEWARE.

    The gate sees to its own refusals. This is for an unknown host, a fault in another middleware, addresses beside
    the API, and faults nobody foresaw, which Django has logged by then.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        return as_problem(response) if request.path_info.startswith("/api/") else response
