"""The error tree: what it promises to callers on both sides of a process border."""

import pickle

import pytest

from deployments import errors, input_errors


def every_error(root: type[errors.ServiceError] = errors.ServiceError) -> list[type[errors.ServiceError]]:
    """The class and all below it."""
    return [root, *(below for child in root.__subclasses__() for below in every_error(child))]


@pytest.mark.parametrize("error_class", every_error())
def test_an_error_survives_pickling(error_class: type[errors.ServiceError]) -> None:
    """Ray pickles what a replica raises: message, code and status must arrive."""
    error = error_class("what the caller may know")
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is error_class
    assert (twin.message, twin.code, twin.status) == (error.message, error.code, error.status)


def test_a_busy_error_keeps_its_delay_when_pickled() -> None:
    """The delay that a queue computed must not be lost on the way to the client."""
    assert pickle.loads(pickle.dumps(errors.StageUnavailable("later", 7))).retry_after_s == 7


def test_codes_are_unique_and_drawn_in_the_tree() -> None:
    """Each class has a code of its own, and the module's picture shows it with its status."""
    codes = [error.code for error in every_error()]
    assert len(set(codes)) == len(codes)
    picture = f"{errors.__doc__}\n{input_errors.__doc__}"
    for error in every_error()[1:]:
        line = next(line for line in picture.splitlines() if f" {error.__name__} " in line)
        assert error.code in line.split()
        assert str(error.status) in line.split()
