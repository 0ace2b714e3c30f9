"""Pieces of work on a pool of threads, begun ahead."""

import threading

import pytest

from chanfp.blocks import HeadStart


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_a_head_start_keeps_the_order_and_does_each_piece_once(n_threads):
    done = []

    def piece(number):
        return lambda: done.append(number) or number

    with HeadStart(map(piece, range(40)), n_threads=n_threads) as begun:
        assert [work() for work in begun] == list(range(40))
    assert sorted(done) == list(range(40))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_errors_of_a_head_start_come_when_their_turn_does(n_threads):
    def pieces():
        yield lambda: 1
        yield lambda: 1 // 0
        yield lambda: 3
        raise KeyError("fourth")

    found = []
    with HeadStart(pieces(), n_threads=n_threads) as begun:
        works = iter(begun)
        found.append(next(works)())
        with pytest.raises(ZeroDivisionError):
            next(works)()
        found.append(next(works)())
        with pytest.raises(KeyError, match="fourth"):
            next(works)
    assert found == [1, 3]


def test_what_a_head_start_has_not_begun_never_is():
    gate, done = threading.Event(), []

    def piece(number):
        return lambda: (gate.wait(10), done.append(number))

    def leave():
        with HeadStart(map(piece, range(9)), n_threads=2):
            threading.Timer(0.05, gate.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert len(done) <= 2
