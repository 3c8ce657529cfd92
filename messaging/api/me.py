"""What a key is: the first thing to ask when nothing works."""

import uuid

from django.http import HttpRequest
from ninja import Field, Router, Schema
from pydantic import ConfigDict

from integrations.organizations.models import ApiKey

from .documentation import problems
from .gate import BearerKey

router = Router()


class MyOrganization(Schema):
    """The organization a key belongs to."""

    id: uuid.UUID
    name: str
    slug: str
    default_region: str = Field(description="Numbers without + are read as numbers of this country.")
    time_zone: str


class MyKey(Schema):
    """A key, without its secret."""

    name: str
    prefix: str = Field(description="Its first letters, as the page API keys shows them.")


class Me(Schema):
    """Who asks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "organization": {
                        "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
                        "name": "Acme Logistics",
                        "slug": "acme-logistics",
                        "default_region": "DE",
                        "time_zone": "Europe/Berlin",
                    },
                    "key": {"name": "Shop", "prefix": "hg_4fT81kPz"},
                    "scopes": ["messages:read", "messages:write"],
                }
            ]
        }
    )

    organization: MyOrganization
    key: MyKey
    scopes: list[str] = Field(description="What the key may do.")


@router.get(
    "",
    response=Me,
    auth=BearerKey(),
    operation_id="getMe",
    summary="See whose key this is",
    openapi_extra=problems(responses={200: "The organization, the key and its scopes."}),
)
def get_me(request: HttpRequest) -> Me:
    """Return the organization and the scopes of the key that asks."""
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    return Me(
        organization=MyOrganization.from_orm(key.organization),
        key=MyKey(name=key.name, prefix=key.prefix),
        scopes=key.scopes,
    )
