"""The application: django-ninja behind our gate, with our problems and a complete OpenAPI document."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema

from .bodies import JsonParser
from .documentation import DESCRIPTION, complete
from .failures import explain_failure
from .gate import guard
from .problems import ApiProblem, respond

PUBLIC = frozenset({"openapi-json", "openapi-view"})


class HeliographApi(NinjaAPI):
    """The REST API: every address below it but the documentation asks for a key, those that do not exist too."""

    def __init__(self) -> None:
        super().__init__(
            title="Heliograph",
            version="1",
            description=DESCRIPTION,
            urls_namespace="api",
            servers=[{"url": "/", "description": "This installation"}],
            parser=JsonParser(),
            # No badge of a validator elsewhere: the page loads nothing from outside.
            docs=Swagger({"validatorUrl": None, "defaultModelsExpandDepth": 0, "displayRequestDuration": True}),
            docs_decorator=lambda view: require_safe(cache_control(max_age=300)(view)),
        )
        self.add_exception_handler(Exception, _answer)  # type: ignore[arg-type]
        self._document: OpenAPISchema | None = None

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = guard(pattern.callback, needs_key=pattern.name not in PUBLIC)
        # Last, so that a wrong address asks for a key before it is called wrong, and never redirects.
        return [*patterns, re_path(r"^[\s\S]*$", guard(_nothing_here))], app_name, namespace

    def set_default_exception_handlers(self) -> None:
        """Leave ninja's own handlers out: ours takes everything."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        if self._document is None:
            self._document = complete(super().get_openapi_schema(**options))
        return self._document

    def get_openapi_operation_id(self, operation: Any) -> str:
        words = operation.view_func.__name__.split("_")
        return words[0] + "".join(word.title() for word in words[1:])


def _answer(request: HttpRequest, failure: Exception) -> HttpResponse:
    return respond(explain_failure(failure))


def _nothing_here(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
    raise ApiProblem("not_found")
