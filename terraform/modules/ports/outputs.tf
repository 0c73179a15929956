output "ports" {
  description = "Port numbers by their names in cluster/ports.env."
  value       = local.ports
}
