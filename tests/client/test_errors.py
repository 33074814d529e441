from __future__ import annotations

from voice_emulator.client import errors
from voice_emulator.client.errors import BY_STATUS, ClientError, ControlError, InputError, Unsatisfied


def test_control_error_shows_detail_and_places():
    assert str(ControlError(404, "Not Found")) == "404 Not Found"
    told = ControlError(
        422, "Unprocessable", "it is wrong", (InputError("", "no object"), InputError("/a", "no"))
    )
    assert str(told) == "422 Unprocessable: it is wrong\n  /: no object\n  /a: no"
    assert told.args == (str(told),)


def test_client_errors_are_caught_by_one_base_and_unsatisfied_fails_a_test():
    mine = [
        found
        for found in vars(errors).values()
        if isinstance(found, type) and found.__module__ == errors.__name__
    ]
    raised = {found for found in mine if issubclass(found, Exception)}
    assert {found for found in raised if not issubclass(found, ClientError)} == {Unsatisfied}
    assert set(BY_STATUS.values()) <= raised
    assert issubclass(Unsatisfied, AssertionError)
