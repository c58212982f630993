"""A burst of hints costs two looks, and its last one is never dropped."""

import queue

from pregon.engine.hints import Hints


def test_the_first_passes_at_once_and_the_rest_of_a_burst_as_one():
    passed: queue.Queue[tuple[str, str]] = queue.Queue()
    hints = Hints(lambda event, resource: passed.put((event, resource)), quiet=0.2)
    for number in range(200):
        hints.give("approved", f"draft.{number}")
    assert passed.get_nowait() == ("approved", "draft.0")
    assert passed.get(timeout=5)[0] == "approved"
    hints.stop()
    assert passed.empty()


def test_kinds_do_not_wait_for_one_another():
    passed: queue.Queue[str] = queue.Queue()
    hints = Hints(lambda event, _: passed.put(event), quiet=60)
    hints.give("a", "1")
    hints.give("b", "1")
    assert (passed.get_nowait(), passed.get_nowait()) == ("a", "b")
    hints.stop()


def test_what_waits_is_forgotten_at_the_stop():
    passed: queue.Queue[str] = queue.Queue()
    hints = Hints(lambda event, _: passed.put(event), quiet=0.1)
    hints.give("a", "1")
    hints.give("a", "2")
    hints.stop()
    assert passed.get_nowait() == "a"
    hints.give("a", "3")
    assert passed.get(timeout=5) == "a"
    assert passed.empty()
