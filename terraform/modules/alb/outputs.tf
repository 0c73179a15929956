output "dns_name" {
  description = "Name of the load balancer."
  value       = aws_lb.this.dns_name
}

output "arn_suffix" {
  description = "The load balancer, as its metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn" {
  description = "Target group that the workers join; known when a listener forwards to it."
  value       = aws_lb_target_group.serve.arn
  depends_on  = [aws_lb_listener.https]
}

output "target_group_arn_suffix" {
  description = "The target group, as its metrics name it."
  value       = aws_lb_target_group.serve.arn_suffix
}

output "url" {
  description = "Where the service answers."
  value       = "https://${var.domain_name != null ? var.domain_name : aws_lb.this.dns_name}"
}
