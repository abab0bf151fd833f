"""The service keeps to its own OpenAPI description, whatever it is sent."""

import schemathesis
from hypothesis import given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance


def check(operation):
    """Send whatever the description allows, and things that it doesn't."""
    # No schema says that there must be a face in a picture for its verdict to be explained.
    beyond = [positive_data_acceptance] if operation.path == "/v1/explain" else []

    @given(case=operation.as_strategy())
    @settings(max_examples=8 if operation.path == "/v1/explain" else 15)
    def answer_is_as_described(case):
        case.call_and_validate(excluded_checks=beyond)

    answer_is_as_described()


def test_answers_are_as_described(service):
    described = schemathesis.openapi.from_url(f"{service}/openapi.json")
    operations = [result.ok() for result in described.get_all_operations()]
    assert len(operations) == 4
    for operation in operations:
        check(operation)
