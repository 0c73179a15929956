variable "name" {
  type        = string
  description = "Name of the stack, the prefix of all names."
}

variable "ecr_repository_arn" {
  type        = string
  description = "Repository that tasks pull their image from."
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts secrets and buckets."
}

variable "head_secret_arns" {
  type        = list(string)
  description = "Secrets that the head's task definition names."
}

variable "worker_secret_arns" {
  type        = list(string)
  description = "Secrets that the worker's task definition names."
}

variable "jobs_bucket_arn" {
  type        = string
  description = "Bucket of the jobs' documents and results."
}

variable "models_bucket_arn" {
  type        = string
  description = "Bucket of the models."
}

variable "github_repository" {
  type        = string
  description = "GitHub repository (owner/name) whose workflows may push images, by OIDC; null for none."
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.github_repository))
    error_message = "github_repository must look like owner/name."
  }
}

variable "github_environment" {
  type        = string
  description = "Environment of GitHub whose jobs may deploy the application."
}

variable "ray_token_secret_arn" {
  type        = string
  description = "Secret with the cluster's token, which a deployer reads."
}

variable "github_branch" {
  type        = string
  description = "Branch whose workflows may push images."
  default     = "main"
}
