output "bucket" {
  description = "Bucket of the state."
  value       = aws_s3_bucket.state.bucket
}

output "lock_table" {
  description = "Table of the locks."
  value       = aws_dynamodb_table.lock.name
}

output "backend_config" {
  description = "What an environment's backend.hcl says, by environment."
  value = {
    for env in ["dev", "prod"] : env => <<-CONFIG
      bucket         = "${aws_s3_bucket.state.bucket}"
      key            = "${env}/terraform.tfstate"
      region         = "${var.aws_region}"
      encrypt        = true
      kms_key_id     = "${aws_kms_key.state.arn}"
      use_lockfile   = true
      dynamodb_table = "${aws_dynamodb_table.lock.name}"
    CONFIG
  }
}

output "github_role_arns" {
  description = "Roles that GitHub's workflows assume: plan, apply-dev, apply-prod; empty without a repository."
  value       = { for part, role in aws_iam_role.github : part => role.arn }
}
