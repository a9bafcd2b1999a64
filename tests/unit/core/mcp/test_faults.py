from core.mcp.faults import INVALID_PARAMS, MessageFault, error_message, result_message


def test_an_error_without_data_has_no_data_member() -> None:
    assert error_message(None, INVALID_PARAMS, "Say which tool.") == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32602, "message": "Say which tool."},
    }


def test_a_fault_becomes_the_error_that_answers_its_message() -> None:
    fault = MessageFault(-32022, "Not served.", 400, 7, {"supported": []})
    assert fault.body() == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {"code": -32022, "message": "Not served.", "data": {"supported": []}},
    }


def test_a_result_carries_the_id_as_it_came() -> None:
    assert result_message("7", {}) == {"jsonrpc": "2.0", "id": "7", "result": {}}
