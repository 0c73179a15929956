variable "name" {
  type        = string
  description = "Name of the stack, the prefix of all names."

  validation {
    # The shortest limit is the load balancer's: 32 characters, with "-serve" behind for its target group.
    condition     = can(regex("^[a-z][a-z0-9-]{1,24}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 26 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "ecr_image" {
  type        = string
  description = "Image of all nodes with a tag or a digest; null for tag image_tag of the stack's own repository."
  default     = null

  validation {
    condition     = var.ecr_image == null || can(regex("(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$", var.ecr_image))
    error_message = "ecr_image must end with a tag or a digest."
  }
}

variable "image_tag" {
  type        = string
  description = "Tag in the stack's own repository, whose tags never move; needed when ecr_image is null."
  default     = null

  validation {
    condition     = var.ecr_image != null || var.image_tag != null
    error_message = "Give ecr_image, or image_tag for an image in the stack's own repository."
  }
}

variable "vpc_cidr" {
  type        = string
  description = "Address range of the VPC."
  default     = "10.40.0.0/16"
}

variable "zones" {
  type        = list(string)
  description = "Letters of the availability zones, two at least."
  default     = ["a", "c"]
}

variable "nat" {
  type        = string
  description = "NAT gateways: single or per_az."
  default     = "single"
}

variable "interface_endpoints" {
  type        = set(string)
  description = "AWS services that are reached inside the VPC."
  default     = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
}

variable "allowed_cidrs" {
  type        = set(string)
  description = "Who may reach the load balancer."
}

variable "is_internal" {
  type        = bool
  description = "Whether the load balancer is reached from inside the VPC only."
  default     = false
}

variable "domain_name" {
  type        = string
  description = "Name of the service; null with a certificate_arn of your own and no name."
  default     = null
}

variable "zone_id" {
  type        = string
  description = "Route 53 zone of domain_name."
  default     = null
}

variable "certificate_arn" {
  type        = string
  description = "Certificate for HTTPS; null to have one made for domain_name."
  default     = null
}

variable "web_acl_arn" {
  type        = string
  description = "A WAF web ACL to stand before the load balancer; null for none."
  default     = null
}

variable "head_instance_type" {
  type        = string
  description = "Instance of the Ray head."
  default     = "m7i.large"
}

variable "gpu_instance_types" {
  type        = list(string)
  description = "Instances of the workers, in the order of preference."
  default     = ["g4dn.xlarge"]
}

variable "min_workers" {
  type        = number
  description = "Workers that are always there."
  default     = 1
}

variable "max_workers" {
  type        = number
  description = "Workers at most."
  default     = 4
}

variable "spot_percent" {
  type        = number
  description = "Share of the workers above min_workers that are spot instances."
  default     = 0
}

variable "auth_mode" {
  type        = string
  description = "How callers prove who they are: api-key, cognito or both."
  default     = "api-key"

  validation {
    condition     = contains(["api-key", "cognito", "both"], var.auth_mode)
    error_message = "auth_mode must be api-key, cognito or both."
  }
}

variable "callback_urls" {
  type        = list(string)
  description = "Where Cognito's sign-in page sends users back to."
  default     = []
}

variable "allowed_origins" {
  type        = list(string)
  description = "Web origins whose pages may call the service (CORS)."
  default     = []
}

variable "environment" {
  type        = map(string)
  description = "More variables of the service (docs/operations.md)."
  default     = {}
}

variable "is_highly_available" {
  type        = bool
  description = "Whether stores have a second instance in another zone."
  default     = true
}

variable "deletion_protection" {
  type        = bool
  description = "Whether stores, buckets and the load balancer refuse to be deleted."
  default     = true
}

variable "postgres_instance_class" {
  type        = string
  description = "Instance of the jobs' database."
  default     = "db.t4g.medium"
}

variable "valkey_node_type" {
  type        = string
  description = "Node of the head's store."
  default     = "cache.t4g.small"
}

variable "job_days" {
  type        = number
  description = "After how many days documents and results of jobs are deleted."
  default     = 30
}

variable "log_retention_days" {
  type        = number
  description = "How long logs are kept."
  default     = 365
}

variable "alarm_email" {
  type        = string
  description = "Who is told of alarms; null for nobody."
  default     = null
}

variable "p95_limit_s" {
  type        = number
  description = "95 % of the answers take less, or it is an alarm."
  default     = 10
}

variable "queue_limit" {
  type        = number
  description = "So many calls waiting inside the graph are an alarm."
  default     = 200
}

variable "gpu_hourly_usd" {
  type        = number
  description = "Price of a GPU instance an hour, for the cost of idle ones."
  default     = 0.647
}

variable "github_environment" {
  type        = string
  description = "Environment of GitHub whose jobs may deploy the application."
  default     = "prod"
}

variable "github_repository" {
  type        = string
  description = "GitHub repository (owner/name) whose workflows may push images; null for none."
  default     = null
}
