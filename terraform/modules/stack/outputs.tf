output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "public_subnets" {
  description = "Subnets of the load balancer and the NAT gateways."
  value       = module.network.public_subnets
}

output "private_subnets" {
  description = "Subnets of everything else."
  value       = module.network.private_subnets
}

output "ecr_repository_url" {
  description = "Where images are pushed to."
  value       = module.ecr.repository_url
}

output "ecs_cluster_name" {
  description = "The ECS cluster."
  value       = module.ecs_cluster.cluster_name
}

output "head_service_name" {
  description = "ECS service of the Ray head."
  value       = module.ray_service.head_service_name
}

output "worker_service_name" {
  description = "ECS service of the Ray workers."
  value       = module.ray_service.worker_service_name
}

output "asg_gpu_name" {
  description = "Auto Scaling group of the GPU instances on demand."
  value       = module.ecs_cluster.asg_names["gpu"]
}

output "asg_gpu_spot_name" {
  description = "Auto Scaling group of the GPU spot instances."
  value       = module.ecs_cluster.asg_names["gpu-spot"]
}

output "alb_dns_name" {
  description = "Name of the load balancer."
  value       = module.alb.dns_name
}

output "url" {
  description = "Where the service answers."
  value       = module.alb.url
}

output "api_key_secret_arn" {
  description = "Secret with the key that callers send."
  value       = module.data.secret_arns["api-key"]
}

output "ray_token_secret_arn" {
  description = "Secret with the token of the Ray cluster, which the deployer needs."
  value       = module.data.secret_arns["ray-token"]
}

output "bucket_names" {
  description = "Buckets by part: jobs, models."
  value       = module.data.bucket_names
}

output "cognito" {
  description = "Issuer, client and sign-in domain of the user pool; null without one."
  value = one([
    for auth in module.auth[*] : {
      issuer         = auth.issuer
      client_id      = auth.client_id
      user_pool_id   = auth.user_pool_id
      sign_in_domain = auth.sign_in_domain
    }
  ])
}

output "alarm_topic_arn" {
  description = "Topic of the alarms."
  value       = module.observability.alarm_topic_arn
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = module.observability.dashboard_name
}

output "github_push_role_arn" {
  description = "Role that GitHub's workflows assume to push images; null without a repository."
  value       = module.iam.github_push_role_arn
}

output "github_deploy_role_arn" {
  description = "Role that GitHub's workflows assume to deploy the application; null without a repository."
  value       = module.iam.github_deploy_role_arn
}
