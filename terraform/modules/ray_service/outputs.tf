output "head_service_name" {
  description = "ECS service of the Ray head."
  value       = aws_ecs_service.head.name
}

output "worker_service_name" {
  description = "ECS service of the Ray workers."
  value       = aws_ecs_service.worker.name
}

output "head_host" {
  description = "Name of the head inside the VPC."
  value       = "${local.head_name}.${local.namespace}"
}
