"""HTTP/1.1 on hosts: curl, and the server of ``python3 -m http.server`` (RFC 9112)."""
