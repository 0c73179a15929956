run "file" {
  command = plan

  assert {
    condition     = output.ports.PORT_SERVE_HTTP == 8000 && output.ports.PORT_GCS == 6379
    error_message = "The ports are those of cluster/ports.env."
  }

  assert {
    condition     = alltrue([for port in values(output.ports) : port > 1023 && port < 65536])
    error_message = "Every port is one that a process without privileges may take."
  }
}
