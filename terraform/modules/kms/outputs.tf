output "key_arn" {
  description = "ARN of the key that encrypts logs, secrets, buckets and stores."
  value       = aws_kms_key.this.arn
}
