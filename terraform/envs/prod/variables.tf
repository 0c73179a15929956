variable "aws_region" {
  type        = string
  description = "Region of everything."
  default     = "ap-northeast-2"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.aws_region))
    error_message = "aws_region must look like ap-northeast-2."
  }
}

variable "project_name" {
  type        = string
  description = "Name of the project; with the environment's name behind, the prefix of all names."
  default     = "ocr"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}$", var.project_name))
    error_message = "project_name must be at most 21 lower-case letters, digits and hyphens, and begin with a letter."
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
  description = "Letters of the availability zones, two at least; GPU instances are not offered in every zone."
  default     = ["a", "c"]
}

variable "allowed_cidrs" {
  type        = set(string)
  description = "Who may reach the load balancer."

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "allowed_cidrs must list IPv4 ranges such as 203.0.113.0/24; 0.0.0.0/0 is everybody."
  }
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

  validation {
    condition     = var.domain_name == null || can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name must look like ocr.example.com."
  }
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

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate in ACM."
  }
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

  validation {
    condition = length(var.gpu_instance_types) > 0 && alltrue([
      for type in var.gpu_instance_types : can(regex("^g4dn\\.(2|4|8|16)?xlarge$", type))
    ])
    error_message = "gpu_instance_types must be g4dn.xlarge, 2xlarge, 4xlarge, 8xlarge or 16xlarge."
  }
}

variable "min_workers" {
  type        = number
  description = "Workers that are always there."
  default     = 2

  validation {
    condition     = var.min_workers >= 1
    error_message = "min_workers must be at least 1."
  }
}

variable "max_workers" {
  type        = number
  description = "Workers at most."
  default     = 10

  validation {
    condition     = var.max_workers >= 1 && var.max_workers <= 100
    error_message = "max_workers must be 1 to 100."
  }
}

variable "spot_percent" {
  type        = number
  description = "Share of the workers above min_workers that are spot instances."
  default     = 50

  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100
    error_message = "spot_percent must be 0 to 100."
  }
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

  validation {
    condition     = alltrue([for origin in var.allowed_origins : can(regex("^https?://[^\\s/,*]+$", origin))])
    error_message = "allowed_origins must list origins such as https://app.example.com."
  }
}

variable "environment" {
  type        = map(string)
  description = "More variables of the service (docs/operations.md)."
  default     = {}
}

variable "job_days" {
  type        = number
  description = "After how many days documents and results of jobs are deleted."
  default     = 30
}

variable "alarm_email" {
  type        = string
  description = "Who is told of alarms; null for nobody."
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email must be an e-mail address."
  }
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

variable "github_repository" {
  type        = string
  description = "GitHub repository (owner/name) whose workflows may push images; null for none."
  default     = null
}
