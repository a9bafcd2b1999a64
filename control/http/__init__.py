"""What every HTTP listener of control needs: sockets, problem documents, reading, answering, paging, If-Match."""
