"""Processes that live long collect garbage seldom, and never look again at what was there from the beginning."""

import gc
from collections.abc import Iterator

import pytest

from config.garbage import calm_collector


@pytest.fixture
def collector_as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector_as_it_was")
def test_what_is_there_is_left_alone_and_the_rest_seldom_looked_at() -> None:
    gc.set_threshold(700, 10, 10)
    gc.unfreeze()
    calm_collector()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] > 700


@pytest.mark.usefixtures("collector_as_it_was")
def test_circles_made_afterwards_are_still_found() -> None:
    calm_collector()
    circle: list[object] = []
    circle.append(circle)
    del circle
    assert gc.collect() >= 1
