"""What every page shows alike: numbers with their country, states with a word."""

from django.template import Context, Template

from messaging.sending.statuses import Status


def rendered(source: str, **values: object) -> str:
    return Template("{% load hg %}" + source).render(Context(values))


def test_a_number_is_shown_as_people_write_it_with_its_country() -> None:
    shown = rendered("{% phone value %}", value="+4930123456")
    assert "+49 30 123456" in shown
    assert 'title="Germany"' in shown
    assert "🇩🇪" in shown


def test_what_is_no_number_is_shown_escaped_as_it_stands() -> None:
    assert "&lt;b&gt;" in rendered("{% phone value %}", value="<b>")


def test_every_state_has_a_word_an_icon_and_the_colour_of_its_group() -> None:
    tones = {
        "grey": {Status.SCHEDULED, Status.QUEUED, Status.CANCELED},
        "blue": {Status.SENDING, Status.ACCEPTED, Status.SENT, Status.RECEIVED},
        "green": {Status.DELIVERED, Status.READ},
        "amber": {Status.UNDELIVERED},
        "red": {Status.FAILED, Status.BLOCKED},
        "violet": {Status.UNKNOWN},
    }
    assert set().union(*tones.values()) == set(Status)
    for tone, states in tones.items():
        for state in states:
            pill = rendered("{% status_pill state %}", state=state)
            assert f"hg-pill-{tone}" in pill
            assert state.label in pill
            assert 'class="hg-icon"' in pill


def test_a_state_we_do_not_know_is_shown_as_it_is() -> None:
    assert "&lt;new&gt;" in rendered("{% status_pill state %}", state="<new>")
