"""Recipes: each makes a draft in which nothing is missing but what it says is left to fill in."""

import pytest

from integrations.connections.models import Connection
from messaging.automations.base import Start
from messaging.automations.checking import problems_of
from messaging.automations.flow import read
from messaging.automations.models import Automation, RunStep
from messaging.automations.publishing import publish
from messaging.automations.recipes import Recipe, every_recipe, use
from messaging.automations.registry import node_of, trigger_of
from messaging.automations.starting import start_runs
from messaging.templates.models import Template
from messaging.templates.segments import measure
from messaging.templates.wording import create_template
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.automations.conftest import carry_on, hours_pass

pytestmark = pytest.mark.django_db

each = pytest.mark.parametrize("recipe", every_recipe(), ids=lambda recipe: recipe.key)


@each
def test_only_what_is_listed_is_left_to_fill_in(cast: Cast, recipe: Recipe) -> None:
    made = use(recipe, cast.organization, name=recipe.title, actor=cast.owner)
    flow = read(made.draft)
    assert trigger_of(flow.trigger) is not None
    for spec in flow.walk():
        node = node_of(spec.kind)
        assert node is not None, spec.kind
        assert set(spec.branches) <= set(node.outlets(spec.settings))
    problems = problems_of(cast.organization, flow, automation=made)
    assert {problem.node for problem in problems} <= set(recipe.to_fill_in), problems


@each
def test_texts_of_a_recipe_fit_into_one_segment(recipe: Recipe) -> None:
    for text in recipe.templates.values():
        assert measure(text).encoding == "GSM-7"
        assert measure(text).segments == 1


@each
def test_templates_are_written_once_and_only_when_used(cast: Cast, recipe: Recipe) -> None:
    assert not Template.objects.exists()
    for _ in range(2):
        use(recipe, cast.organization, name=recipe.title, actor=cast.owner)
    assert set(Template.objects.values_list("name", flat=True)) == set(recipe.templates)


def test_name_that_another_text_has_is_left_alone(cast: Cast) -> None:
    create_template(cast.organization, name="Welcome", body="Our own words", actor=cast.owner)
    welcome = next(recipe for recipe in every_recipe() if recipe.key == "welcome")
    use(welcome, cast.organization, name="Hello", actor=cast.owner)
    assert set(Template.objects.values_list("name", flat=True)) == {"Welcome", "Welcome 2"}


def test_new_automation_is_begun_with_nothing_or_a_recipe(cast: Cast) -> None:
    client = cast.client("owner")
    page = client.get(cast.url("automations/new/")).content.decode()
    for recipe in every_recipe():
        assert recipe.title in page
    assert client.post(cast.url("automations/new/"), {"name": ""}).status_code == 422
    client.post(cast.url("automations/new/"), {"name": "Mine"})
    assert read(Automation.objects.get(name="Mine").draft).nodes == ()
    chosen = client.get(cast.url("automations/new/?recipe=welcome")).content.decode()
    assert "Choose the form." in chosen
    client.post(cast.url("automations/new/"), {"name": "Hello", "recipe": "welcome"})
    assert [node.kind for node in read(Automation.objects.get(name="Hello").draft).nodes] == ["wait", "send_sms"]
    for who in ("agent", "viewer"):
        assert cast.client(who).get(cast.url("automations/new/")).status_code == 403
    assert cast.client("stranger").get(cast.url("automations/new/")).status_code == 404


def test_a_recipe_that_is_ready_says_so(cast: Cast) -> None:
    page = cast.client("owner").get(cast.url("automations/new/?recipe=win_back")).content.decode()
    assert "Nothing is left for you to fill in." in page and "What is left for you" not in page


@pytest.mark.parametrize("is_contact", [True, False])
def test_who_is_no_contact_is_won_back_without_a_tag(cast: Cast, connection: Connection, is_contact: bool) -> None:
    recipe = next(recipe for recipe in every_recipe() if recipe.key == "win_back")
    made = use(recipe, cast.organization, name="Win back", actor=cast.owner)
    publish(made, actor=cast.owner)
    contact = ContactFactory(organization=cast.organization, phone="+4915112345678") if is_contact else None
    (run,) = start_runs(made, [Start(key="1", phone="+4915112345678", contact_id=contact.pk if contact else None)])
    carry_on()
    # What it waits for is over, in the row and in what the step remembers of it.
    RunStep.objects.filter(kind="wait").update(memory={"until": run.created_at.isoformat()})
    hours_pass(run)
    carry_on()
    kinds = list(RunStep.objects.filter(status="done").order_by("ordinal").values_list("kind", flat=True))
    assert kinds == ["wait", "branch", *(["tag"] if is_contact else []), "send_sms"]
