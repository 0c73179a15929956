variable "name" {
  type        = string
  description = "Name of the stack, the prefix of all names."
}

variable "callback_urls" {
  type        = list(string)
  description = "Where the sign-in page sends users back to."
  default     = []

  validation {
    condition     = alltrue([for url in var.callback_urls : can(regex("^(https://|http://localhost[:/])", url))])
    error_message = "callback_urls must be HTTPS addresses, or http://localhost ones for development."
  }
}

variable "groups" {
  type        = set(string)
  description = "Groups of users; the service maps them to what they may do."
  default     = ["readers", "operators"]
}

variable "deletion_protection" {
  type        = bool
  description = "Whether the user pool refuses to be deleted."
  default     = true
}
