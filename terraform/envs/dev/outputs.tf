output "vpc_id" {
  description = "The VPC."
  value       = module.stack.vpc_id
}

output "public_subnets" {
  description = "Subnets of the load balancer and the NAT gateways."
  value       = module.stack.public_subnets
}

output "private_subnets" {
  description = "Subnets of everything else."
  value       = module.stack.private_subnets
}

output "ecr_repository_url" {
  description = "Where images are pushed to."
  value       = module.stack.ecr_repository_url
}

output "ecs_cluster_name" {
  description = "The ECS cluster."
  value       = module.stack.ecs_cluster_name
}

output "head_service_name" {
  description = "ECS service of the Ray head."
  value       = module.stack.head_service_name
}

output "worker_service_name" {
  description = "ECS service of the Ray workers."
  value       = module.stack.worker_service_name
}

output "asg_gpu_name" {
  description = "Auto Scaling group of the GPU instances on demand."
  value       = module.stack.asg_gpu_name
}

output "asg_gpu_spot_name" {
  description = "Auto Scaling group of the GPU spot instances."
  value       = module.stack.asg_gpu_spot_name
}

output "alb_dns_name" {
  description = "Name of the load balancer."
  value       = module.stack.alb_dns_name
}

output "url" {
  description = "Where the service answers."
  value       = module.stack.url
}

output "api_key_secret_arn" {
  description = "Secret with the key that callers send."
  value       = module.stack.api_key_secret_arn
}

output "ray_token_secret_arn" {
  description = "Secret with the token of the Ray cluster, which the deployer needs."
  value       = module.stack.ray_token_secret_arn
}

output "bucket_names" {
  description = "Buckets by part: jobs, models."
  value       = module.stack.bucket_names
}

output "cognito" {
  description = "Issuer, client and sign-in domain of the user pool; null without one."
  value       = module.stack.cognito
}

output "alarm_topic_arn" {
  description = "Topic of the alarms."
  value       = module.stack.alarm_topic_arn
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = module.stack.dashboard_name
}

output "github_push_role_arn" {
  description = "Role that GitHub's workflows assume to push images; null without a repository."
  value       = module.stack.github_push_role_arn
}

output "github_deploy_role_arn" {
  description = "Role that GitHub's workflows assume to deploy the application; null without a repository."
  value       = module.stack.github_deploy_role_arn
}
