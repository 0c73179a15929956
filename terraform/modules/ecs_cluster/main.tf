resource "aws_cloudwatch_log_group" "sessions" {
  name              = "/${var.name}/sessions"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  configuration {
    execute_command_configuration {
      kms_key_id = var.kms_key_arn
      logging    = "OVERRIDE"

      log_configuration {
        cloud_watch_encryption_enabled = true
        cloud_watch_log_group_name     = aws_cloudwatch_log_group.sessions.name
      }
    }
  }
}

# What the CloudWatch agent of each instance collects.
resource "aws_ssm_parameter" "agent" {
  name        = "/${var.name}/cloudwatch-agent"
  description = "Configuration of the CloudWatch agent (cluster/cloudwatch-agent.json)"
  type        = "SecureString"
  key_id      = var.kms_key_arn
  value       = file("${path.module}/../../../cluster/cloudwatch-agent.json")
}
