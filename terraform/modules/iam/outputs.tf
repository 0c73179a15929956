output "execution_role_arns" {
  description = "Roles that start tasks: head, worker."
  value       = { for part, role in aws_iam_role.execution : part => role.arn }
}

output "task_role_arns" {
  description = "Roles that run in tasks: head, worker."
  value       = { for part, role in aws_iam_role.task : part => role.arn }
}

output "instance_profile_arn" {
  description = "Profile of the EC2 instances."
  value       = aws_iam_instance_profile.instance.arn
}

output "github_push_role_arn" {
  description = "Role that GitHub's workflows assume to push images, or null."
  value       = one([for part, role in aws_iam_role.github : role.arn if part == "push"])
}

output "github_deploy_role_arn" {
  description = "Role that GitHub's workflows assume to deploy the application, or null."
  value       = one([for part, role in aws_iam_role.github : role.arn if part == "deploy"])
}
