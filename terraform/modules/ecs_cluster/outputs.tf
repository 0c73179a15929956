output "cluster_name" {
  description = "Name of the cluster; known when its capacity providers are attached."
  value       = aws_ecs_cluster_capacity_providers.this.cluster_name
}

output "cluster_arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "capacity_providers" {
  description = "Capacity providers by pool: head, gpu, gpu-spot."
  value       = { for pool, provider in aws_ecs_capacity_provider.this : pool => provider.name }
}

output "asg_names" {
  description = "Auto Scaling groups by pool: head, gpu, gpu-spot."
  value       = { for pool, group in aws_autoscaling_group.this : pool => group.name }
}
