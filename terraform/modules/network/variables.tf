variable "name" {
  type        = string
  description = "Name of the stack, the prefix of all names."
}

variable "vpc_cidr" {
  type        = string
  description = "Address range of the VPC; subnets take /20 pieces of it."
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && tonumber(split("/", var.vpc_cidr)[1]) == 16
    error_message = "vpc_cidr must be an IPv4 range of size /16, such as 10.40.0.0/16."
  }
}

variable "zones" {
  type        = list(string)
  description = "Letters of the availability zones, two at least; GPU instances are not offered in every zone."
  default     = ["a", "c"]

  validation {
    condition     = length(distinct(var.zones)) >= 2 && length(distinct(var.zones)) <= 4 && alltrue([for zone in var.zones : can(regex("^[a-f]$", zone))])
    error_message = "zones must be two to four different letters: a load balancer and a database need two zones."
  }
}

variable "nat" {
  type        = string
  description = "NAT gateways: one for all zones (single), or one in each (per_az)."
  default     = "single"

  validation {
    condition     = contains(["single", "per_az"], var.nat)
    error_message = "nat must be single or per_az."
  }
}

variable "interface_endpoints" {
  type        = set(string)
  description = "AWS services that are reached inside the VPC instead of through the NAT gateway."
  default     = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
}

variable "allowed_cidrs" {
  type        = set(string)
  description = "Who may reach the load balancer, by port 443 (and 80, which only redirects)."

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "allowed_cidrs must list IPv4 ranges such as 203.0.113.0/24; 0.0.0.0/0 is everybody."
  }
}

variable "ports" {
  type        = map(number)
  description = "Port numbers by name, as the module ports reads them."
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the flow logs."
}

variable "log_retention_days" {
  type        = number
  description = "How long flow logs are kept."
  default     = 365
}
