from archway.supervisor.orders import Listeners, Supervision, as_argument, from_argument


def test_orders_come_back_from_a_command_line_as_they_were_given():
    listeners = Listeners(("0.0.0.0", 8080), ("::1", 0), ("localhost", 9400))
    orders = Supervision(listeners, workers=4, grace_s=2.5, log_level="DEBUG")

    assert from_argument(as_argument(orders)) == orders
