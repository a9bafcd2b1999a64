"""A collector of traces for looking: prints every span that it is sent. `python tools/print_spans.py 4318`."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Printer(BaseHTTPRequestHandler):
    """Takes spans by OTLP over HTTP and prints them."""

    def do_POST(self) -> None:
        """One batch."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    show(span)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing: the spans are what is to be seen."""


def show(span: Span) -> None:
    """A span on some lines."""
    took = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
    parent = span.parent_span_id.hex() or "none"
    print(f"{span.name}  {took:.1f} ms  trace {span.trace_id.hex()}  parent {parent}")
    for attribute in span.attributes:
        value = attribute.value
        print(f"  {attribute.key} = {getattr(value, str(value.WhichOneof('value')))}")
    sys.stdout.flush()


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Printer).serve_forever()
