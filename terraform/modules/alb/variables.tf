variable "name" {
  type        = string
  description = "Name of the stack, the prefix of all names."
}

variable "vpc_id" {
  type        = string
  description = "VPC of the targets."
}

variable "subnets" {
  type        = list(string)
  description = "Subnets of the load balancer: public ones, or private ones when it is internal."
}

variable "security_group" {
  type        = string
  description = "Security group of the load balancer."
}

variable "is_internal" {
  type        = bool
  description = "Whether the load balancer is reached from inside the VPC only."
  default     = false
}

variable "certificate_arn" {
  type        = string
  description = "Certificate for HTTPS; null to have one made for domain_name."
  default     = null
}

variable "domain_name" {
  type        = string
  description = "Name of the service, such as ocr.example.com; null when certificate_arn is given and no name is wanted."
  default     = null
}

variable "zone_id" {
  type        = string
  description = "Route 53 zone of domain_name."
  default     = null
}

variable "serve_port" {
  type        = number
  description = "Port of Ray Serve's proxies."
}

variable "idle_timeout_s" {
  type        = number
  description = "How long a request may take; longer than Serve's own limit, so that the service answers first."
  default     = 360

  validation {
    condition     = var.idle_timeout_s > 330 && var.idle_timeout_s <= 4000
    error_message = "idle_timeout_s must be more than 330, request_timeout_s of serve_config.yaml, and at most 4000."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Whether the load balancer and its access logs refuse to be deleted."
  default     = true
}

variable "access_log_days" {
  type        = number
  description = "How long access logs are kept."
  default     = 90
}

variable "web_acl_arn" {
  type        = string
  description = "A WAF web ACL to stand before the load balancer; null for none."
  default     = null
}
